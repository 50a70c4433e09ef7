//! What a builder built goes straight from there to the machine, with a key for one login.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::relay::{Direction, Relay, RoadSpec};
use deploy_lab::hosts::{Host, Lab, wait};
use deploy_lab::systems::{Fleet, Generation};

use super::build::builder_host;
use super::builder_key::{KEYS, LineOfKeys};
use super::runs_generation;
use crate::harness::Scenario;
use crate::scene::{Scene, end};

pub const ALL: &[Scenario] = &[
    Scenario::new("what-a-builder-built-goes-straight-to-the-machine", straight),
    Scenario::new("a-builder-that-cannot-reach-the-machine-sends-through-the-operator", around),
    Scenario::new("a-builder-s-key-goes-with-the-operator", goes),
];

/// The size of a file in each system, in MiB.
const BALLAST: u32 = 12;

/// The limit of bytes that may go from the operator to the machine, which is enough for the list.
const WORDS: u64 = 2 << 20;

/// frame1, whose sshd reads the agent's keys, and a builder that reaches it past the operator.
pub struct Straight {
    pub scene: Scene,
    pub builder: Host,
}

impl Straight {
    pub fn new(lab: &mut Lab) -> Result<Self> {
        let scene = Scene::new(lab)?;
        scene.has(Fleet::of("frame1", Self::system(2)))?;
        scene.deploy("frame1")?.ends(0, &["committed"])?;
        let builder = builder_host(lab, &scene.mac)?;
        Self::knows(&builder, &scene.frame1.address().to_string())?;
        Ok(Self { scene, builder })
    }

    /// A system with the line of the module `deploy.agent`.
    pub fn system(number: u32) -> Generation {
        Generation::new("frame1", number).sshd_config(&format!(
            "AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/authorized_keys.d/%u {KEYS}/%u"
        ))
    }

    /// Makes frame1-far another address on the builder than on the operator's computer.
    fn knows(builder: &Host, address: &str) -> Result<()> {
        builder
            .sh(&format!(
                "sed -i /frame1-far/d /etc/hosts; echo '{address} frame1-far' >> /etc/hosts"
            ))
            .map(drop)
    }

    fn far(&self, number: u32) -> Result<()> {
        let system = Self::system(number).ballast(BALLAST);
        self.scene.has(Fleet::of("frame1", system).node("frame1", "hostname", "frame1-far"))
    }

    /// Nothing that opens anything is left, on either side.
    fn nothing_left(&self) -> Result<()> {
        wait::until("nothing is left", wait::PATIENCE, || {
            let keys = self.scene.frame1.sh(&format!("cat {KEYS}/* 2> /dev/null || :"))?;
            let expected = "ls /run/deploy-agent/builders 2> /dev/null | grep -vx lock || :";
            let expected = self.scene.frame1.sh(expected)?;
            let folders =
                self.builder.sh("ls -d /dev/shm/deploy-* /tmp/deploy-* 2> /dev/null || :")?;
            let copies = self.builder.sh("pgrep -f 'nix .*[c]opy' || :")?;
            Ok([keys, expected, folders, copies].iter().all(String::is_empty))
        })
    }
}

/// What `deploy` says of the way.
const SAYS: &str = "frame1: root@builder1 sends what it built straight to frame1";
const AROUND: &str = "frame1: what root@builder1 built goes through this computer: ";

fn straight(lab: &mut Lab) -> Result<()> {
    let straight = Straight::new(lab)?;
    let scene = &straight.scene;
    let road = RoadSpec { one_way: Duration::ZERO, mbit_per_second: None };
    let relay = Relay::start(&scene.frame1, road)?;
    for (number, user) in [(3, "root"), (4, "admin")] {
        straight.far(number)?;
        let wanted = scene.wanted()?;
        let before = relay.bytes(Direction::ToHost);
        let args = format!("frame1 --build-on root@builder1 --ssh-user {user}");
        let said = scene.deploy(&args)?;
        said.ends(0, &[SAYS, "committed"])?;
        ensure!(!said.text.contains(AROUND), "{}", said.text);
        let sent = relay.bytes(Direction::ToHost) - before;
        ensure!(sent < WORDS, "{sent} bytes went through the operator's computer");
        runs_generation(&scene.frame1, number)?;
        scene.mac.sh(&format!("! test -e {wanted}"))?;
        let journal = scene.frame1.journal(&["-t", "deploy-agent"])?;
        let line = format!("asked to let a builder log in as {user} with ");
        ensure!(journal.contains(&line), "{journal}");
        let address = straight.builder.address();
        let from = format!("from the SSH connection {address}:");
        let mut lines =
            journal.lines().filter(|line| line.contains("asked to carry what a builder"));
        ensure!(lines.next_back().is_some_and(|line| line.contains(&from)), "{journal}");
        straight.nothing_left()?;
    }
    // Nothing of the push can be a confirmation: it was committed by a login of the operator's.
    let record = scene.frame1.read("/nix/var/deploy-agent/attempt.json")?;
    let address = straight.builder.address().to_string();
    ensure!(!record.contains(&format!("\"client\": \"{address}\"")), "{record}");
    let wanted = scene.wanted()?;
    scene.ends_on(&wanted)
}

fn around(lab: &mut Lab) -> Result<()> {
    let straight = Straight::new(lab)?;
    let scene = &straight.scene;
    let road = RoadSpec { one_way: Duration::ZERO, mbit_per_second: None };
    let _relay = Relay::start(&scene.frame1, road)?;
    // Nobody has this address.
    Straight::knows(&straight.builder, "10.255.255.1")?;
    straight.far(4)?;
    let said = scene.deploy("frame1 --build-on root@builder1")?;
    said.ends(0, &[AROUND, "committed"])?;
    runs_generation(&scene.frame1, 4)?;
    straight.nothing_left()?;
    // Another machine answers at that address.
    let builder = straight.builder.address().to_string();
    Straight::knows(&straight.builder, &builder)?;
    straight.far(5)?;
    let said = scene.deploy("frame1 --build-on root@builder1")?;
    said.ends(0, &[AROUND, "Host key verification failed", "committed"])?;
    straight.nothing_left()?;
    // The operator's own way is by a jump.
    Straight::knows(&straight.builder, &scene.frame1.address().to_string())?;
    let jump = "Host frame1-far\nProxyJump root@builder1\n";
    scene.mac.write("/root/.ssh/config", jump, 0o600)?;
    straight.far(6)?;
    let said = scene.deploy("frame1 --build-on root@builder1")?;
    said.ends(0, &[AROUND, "ssh goes there by ProxyJump", "committed"])?;
    runs_generation(&scene.frame1, 6)
}

/// Whether a key is there, and the builder sends.
fn sends(straight: &Straight) -> Result<()> {
    let frame1 = &straight.scene.frame1;
    wait::until("the builder sends", Duration::from_secs(60), || super::left_behind::locked(frame1))
}

/// Whether the builder stops at once. What is left of the push takes longer.
fn stops(straight: &Straight) -> Result<()> {
    wait::until("the builder stops", Duration::from_secs(8), || {
        Ok(straight.builder.sh("pgrep -f 'nix .*[c]opy' || :")?.is_empty())
    })
}

/// The operator interrupts, is killed, and the machine's power is cut, all in the middle of a push.
fn goes(lab: &mut Lab) -> Result<()> {
    let straight = Straight::new(lab)?;
    let scene = &straight.scene;
    scene.frame1.rate(Some(8))?;
    let wants = |number| scene.has(Fleet::of("frame1", Straight::system(number).ballast(24)));
    let runs = scene.runs()?;
    let args = "frame1 --build-on root@builder1";

    wants(3)?;
    let pushing = scene.begin(args)?;
    sends(&straight)?;
    ensure!(LineOfKeys::of(&scene.frame1)?.is_none(), "the key could be used again");
    scene.mac.sh("kill -INT $(pgrep -x deploy)")?;
    let said = end(pushing)?;
    said.ends(130, &["interrupted", "nothing was changed"])?;
    stops(&straight)?;
    straight.nothing_left()?;
    wait::until("frame1 receives nothing", wait::PATIENCE, || {
        Ok(!super::left_behind::locked(&scene.frame1)?)
    })?;
    ensure!(scene.runs()? == runs);

    wants(4)?;
    let _pushing = scene.begin(args)?;
    sends(&straight)?;
    scene.mac.sh("kill -KILL $(pgrep -x deploy)")?;
    stops(&straight)?;
    straight.nothing_left()?;
    wait::until("frame1 receives nothing", wait::PATIENCE, || {
        Ok(!super::left_behind::locked(&scene.frame1)?)
    })?;

    wants(5)?;
    let pushing = scene.begin(args)?;
    sends(&straight)?;
    scene.frame1.power_cut_and_boot()?;
    scene.frame1.wait_for_ssh(crate::scene::ANSWERS)?;
    let left =
        scene.frame1.sh(&format!("ls -A {KEYS} /run/deploy-agent/builders 2> /dev/null || :"))?;
    ensure!(left.is_empty(), "{left}");
    let said = end(pushing)?;
    ensure!(said.code != 0, "{}", said.text);
    scene.frame1.rate(None)?;
    let wanted = scene.wanted()?;
    scene.deploy(args)?.ends(0, &[SAYS, "committed"])?;
    straight.nothing_left()?;
    scene.ends_on(&wanted)
}
