//! The networks to a machine, and the messages about a push.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::relay::{Direction, Relay, RoadSpec};
use deploy_lab::hosts::{HostSpec, Lab, access, wait};
use deploy_lab::systems::{Fleet, Generation};
use serde_json::Value;

use super::{accepted, runs_generation, second};
use crate::harness::Scenario;
use crate::scene::{ANSWERS, Said, Scene, end};

pub const ALL: &[Scenario] = &[
    Scenario::new("a-push-tells-bytes-and-rate", bytes),
    Scenario::new("a-push-is-compressed-once", compressed),
    Scenario::new("an-agent-that-dies-while-it-carries-a-push-is-told-and-the-next-goes-on", dies),
    Scenario::new("a-jump-host-of-ssh-config-is-on-the-way", jump),
    Scenario::new("an-alias-of-ssh-config-holds-for-all-logins", alias),
    Scenario::new("port-and-pinned-host-key-of-the-flake-hold", pinned),
    Scenario::new("a-machine-at-an-ipv6-address-is-deployed-to", ipv6),
    Scenario::new("an-inherited-nix-sshopts-holds", inherited),
];

fn bytes(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.wants(second().ballast(24))?;
    let said = scene.deploy("frame1")?;
    said.ends(0, &["committed", " on the wire)"])?;
    let line = said.text.lines().find(|line| line.starts_with("frame1: pushed "));
    let line = line.with_context(|| format!("no line about the push:\n{}", said.text))?;
    let mib = line.split(' ').nth(2).and_then(|word| word.parse::<f32>().ok()).unwrap_or(0.0);
    ensure!(mib >= 24.0 && line.contains("MiB/s, "), "{line}");
    // A small push is reported as such.
    scene.wants(Generation::new("frame1", 3).ballast(0))?;
    let said = scene.deploy("frame1")?;
    let line = said.text.lines().find(|line| line.starts_with("frame1: pushed "));
    ensure!(line.is_some_and(|line| line.contains("KiB (")), "{line:?}");
    Ok(())
}

/// What the last document about the push says of the bytes on the wire.
fn on_the_wire(scene: &Scene) -> Result<Value> {
    let said = scene.deploy("--json frame1")?;
    said.ends(0, &["committed"])?;
    let mut documents = said.text.lines().filter_map(|line| serde_json::from_str(line).ok());
    let last = documents.rfind(|document: &Value| document["event"] == "push");
    Ok(last.context("there was no push")?["onTheWire"].take())
}

fn compressed(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.wants(second().ballast(2))?;
    let sent = on_the_wire(&scene)?;
    ensure!(sent.as_u64().is_some_and(|bytes| bytes > 1 << 20 && bytes < 16 << 20), "{sent}");
    let fleet = |number| Fleet::of("frame1", Generation::new("frame1", number).ballast(2));
    let never = serde_json::json!({ "compress": "never" });
    scene.has(fleet(3).node("frame1", "push", never))?;
    ensure!(on_the_wire(&scene)?.is_null(), "the flake says never");
    scene.mac.write("/root/.ssh/config", "Host frame1\n  Compression yes\n", 0o600)?;
    scene.has(fleet(4))?;
    ensure!(on_the_wire(&scene)?.is_null(), "ssh compresses it already");
    runs_generation(&scene.frame1, 4)
}

fn dies(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let machine = &scene.frame1;
    let road = RoadSpec { one_way: Duration::ZERO, mbit_per_second: Some(40) };
    let relay = Relay::start(machine, road)?;
    let fleet = |number, mib| {
        let system = Generation::new("frame1", number).ballast(mib);
        Fleet::of("frame1", system).node("frame1", "hostname", "frame1-far")
    };
    // The agent is brought first, so that the push that is cut is one that it carries.
    scene.has(fleet(2, 0))?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    scene.has(fleet(3, 24))?;
    let before = relay.bytes(Direction::ToHost);
    let deploy = scene.begin("frame1")?;
    wait::until("the push is under way", Duration::from_secs(60), || {
        Ok(relay.bytes(Direction::ToHost) > before + (4 << 20))
    })?;
    machine.sh("pkill -KILL -f '[s]erve --stdio'")?;
    end(deploy)?.ends(1, &["cannot push the system to frame1", "nothing was changed"])?;
    runs_generation(machine, 2)?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    runs_generation(machine, 3)
}

fn jump(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let jump = lab.new_host(HostSpec::named("builder1")?)?;
    jump.boot()?;
    jump.wait_until_up()?;
    access::connect(&scene.mac, &jump)?;
    jump.wait_for_ssh(ANSWERS)?;
    scene.mac.write("/root/.ssh/config", "Host frame1\n  ProxyJump root@builder1\n", 0o600)?;
    scene.wants(second())?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    let lines = accepted(&scene.frame1)?;
    let through = format!("from {}", jump.address());
    ensure!(lines.len() == 2 && lines.iter().all(|line| line.contains(&through)), "{lines:#?}");
    runs_generation(&scene.frame1, 2)
}

/// A second sshd, so that a login over the usual port does not succeed by mistake.
const SSHD: &str = "systemd-run --quiet --unit=sshd-2222 /usr/sbin/sshd -D -p 2222";

/// Checks that both logins came over port 2222.
fn came_over_2222(scene: &Scene) -> Result<()> {
    let all = accepted(&scene.frame1)?;
    let here = scene.frame1.journal(&["--no-pager", "--unit=sshd-2222.service"])?;
    let here = here.matches("Accepted publickey").count();
    ensure!(all.len() == 2 && here == 2, "{here} of these came over port 2222: {all:#?}");
    Ok(())
}

fn alias(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.frame1.sh(SSHD)?;
    let config = format!(
        "Host box\n  HostName {}\n  Port 2222\n  User admin\n  IdentityFile /root/box-key\n  \
         HostKeyAlias frame1\n  ControlMaster auto\n  ControlPath /root/.ssh/%C\n  \
         ControlPersist 60\n",
        scene.frame1.address()
    );
    scene.mac.write("/root/.ssh/config", config, 0o600)?;
    scene.mac.sh("mv /root/.ssh/id_ed25519 /root/box-key")?;
    let fleet = Fleet::of("frame1", second()).node("frame1", "hostname", "box");
    scene.has(fleet.node("frame1", "sshUser", serde_json::Value::Null))?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    came_over_2222(&scene)?;
    runs_generation(&scene.frame1, 2)
}

fn pinned(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.frame1.sh(SSHD)?;
    scene.mac.sh("rm /root/.ssh/known_hosts")?;
    let key = scene.frame1.read("/etc/ssh/ssh_host_ed25519_key.pub")?;
    let words: Vec<&str> = key.split_whitespace().take(2).collect();
    let fleet = |key: &str| {
        let ssh = serde_json::json!({ "hostname": "frame1", "port": 2222, "hostKey": key });
        Fleet::of("frame1", second()).node("frame1", "ssh", ssh)
    };
    // Another key of the same type: that of the operator's own computer.
    let other = scene.mac.read("/etc/ssh/ssh_host_ed25519_key.pub")?;
    let other: Vec<&str> = other.split_whitespace().take(2).collect();
    scene.has(fleet(&other.join(" ")))?;
    scene.deploy("frame1")?.ends(1, &["cannot log in to frame1", "host key", "was changed"])?;
    scene.has(fleet(&words.join(" ")))?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    came_over_2222(&scene)?;
    ensure!(!scene.mac.root().join("root/.ssh/known_hosts").exists(), "a key was learnt");
    runs_generation(&scene.frame1, 2)
}

fn ipv6(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    for (host, last) in [(&scene.mac, "10"), (&scene.frame1, "11")] {
        host.add_ipv6(&format!("fd77::{last}/64"))?;
    }
    scene.mac.sh("sed -n 's/^frame1,[^ ]*/fd77::11/p' /root/.ssh/known_hosts > /root/six; \
                  cat /root/six >> /root/.ssh/known_hosts")?;
    scene.has(Fleet::of("frame1", second()).node("frame1", "sshUser", "admin"))?;
    scene.deploy("frame1 --hostname fd77::11")?.ends(0, &["committed"])?;
    let lines = accepted(&scene.frame1)?;
    ensure!(lines.iter().all(|line| line.contains("from fd77::10")), "{lines:#?}");
    scene.has(Fleet::of("frame1", Generation::new("frame1", 3)))?;
    scene.deploy("frame1 --hostname fd77::11 --build-on target")?.ends(0, &["committed"])?;
    runs_generation(&scene.frame1, 3)
}

fn inherited(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.frame1.sh(SSHD)?;
    scene.mac.sh("mv /root/.ssh/id_ed25519 /root/other-key")?;
    scene.wants(second())?;
    let script = format!(
        "cd {} && exec {} frame1",
        deploy_lab::systems::FOLDER,
        deploy_lab::hosts::programs::DEPLOY
    );
    let opts = "-i /root/other-key -p 2222 -o HostKeyAlias=frame1";
    let output = scene.mac.command(["sh", "-c", &script]).env("NIX_SSHOPTS", opts).run()?;
    Said::of(&output).ends(0, &["committed"])?;
    came_over_2222(&scene)?;
    runs_generation(&scene.frame1, 2)
}
