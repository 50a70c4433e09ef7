//! What is done for machines before their turn.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::programs::DEPLOY;
use deploy_lab::hosts::relay::{Direction, Relay, RoadSpec};
use deploy_lab::hosts::{ASKADMIN_PASSWORD, Admission, Host, Lab, wait};
use deploy_lab::systems::{FOLDER, Fleet, Generation};

use super::interrupt::nothing_left;
use super::several::fleet;
use super::{accepted, end_on_terminal, on_terminal, one_more, runs_generation, write_flake};
use crate::faults::hold::{Hold, Place};
use crate::harness::Scenario;
use crate::scene::{Scene, end};

pub const ALL: &[Scenario] = &[
    Scenario::new("machines-are-pushed-to-before-their-turn-and-not-switched", before),
    Scenario::new("nobody-is-asked-for-a-machine-before-its-turn", unattended),
    Scenario::new("a-build-that-fails-before-its-turn-fails-once", fails_once),
    Scenario::new("a-push-before-its-turn-makes-room-for-a-confirmation", makes_room),
    Scenario::new("ctrl-c-ends-what-is-done-before-a-turn", interrupted),
    Scenario::new("a-machine-is-pushed-to-while-others-are-evaluated", evaluated),
];

fn two(lab: &mut Lab) -> Result<(Scene, Host)> {
    let scene = Scene::new(lab)?;
    let frame2 = one_more(lab, &scene.mac, "frame2")?;
    Ok((scene, frame2))
}

/// Waits until a machine's store has the system of the flake.
fn has_its_system(scene: &Scene, machine: &Host) -> Result<()> {
    let name = machine.name();
    let attribute = format!("nixosConfigurations.{name}.config.system.build.toplevel.outPath");
    let system = scene.mac.sh(&format!("/usr/bin/nix eval --raw {FOLDER}#{attribute}"))?;
    wait::until(&format!("{name} has its system"), wait::PATIENCE, || {
        Ok(machine.command(["nix-store", "--check-validity", system.trim()]).run()?.code == 0)
    })
}

/// Checks that no attempt took the machine.
fn is_untouched(machine: &Host) -> Result<()> {
    runs_generation(machine, 1)?;
    let profiles = machine.sh("ls -d /nix/var/nix/profiles/system-*-link")?;
    ensure!(profiles.lines().count() == 1, "{profiles}");
    Ok(())
}

fn before(lab: &mut Lab) -> Result<()> {
    let (scene, frame2) = two(lab)?;
    scene.has(fleet(2))?;
    let hold = Hold::at(&scene.frame1, Place::Activation)?;
    let running = scene.begin("--yes")?;
    let held = hold.reached()?;
    has_its_system(&scene, &frame2)?;
    is_untouched(&frame2)?;
    held.go()?;
    end(running)?.ends(0, &["frame1: committed", "frame2: committed"])?;
    runs_generation(&frame2, 2)?;
    // Its turn shows what is not over yet.
    let road = RoadSpec { one_way: Duration::ZERO, mbit_per_second: Some(8) };
    let _relay = Relay::start(&frame2, road)?;
    let large = Generation::new("frame2", 3).ballast(6);
    scene.has(fleet(3).machine("frame2", large).node("frame2", "hostname", "frame2-far"))?;
    let said = scene.deploy("--yes")?;
    said.ends(0, &["frame1: committed", "frame2: committed"])?;
    let turn = said.text.find("frame2: pushing").unwrap_or_default();
    let over = said.text.find("frame1: committed").unwrap_or(usize::MAX);
    ensure!(over < turn, "its push was not shown in its turn:\n{}", said.text);
    runs_generation(&frame2, 3)
}

/// The size of a large system, in MiB.
const LARGE: u32 = 40;

/// A second machine with a large system, over a road of 8 Mbit/s.
fn with_a_slow_second(scene: &Scene, frame2: &Host, confirm_timeout: u32) -> Result<Relay> {
    let road = RoadSpec { one_way: Duration::ZERO, mbit_per_second: Some(8) };
    let relay = Relay::start(frame2, road)?;
    let large = Generation::new("frame2", 2).ballast(LARGE);
    let fleet = fleet(2).machine("frame2", large).node("frame2", "hostname", "frame2-far");
    scene.has(fleet.node("frame1", "confirmTimeout", confirm_timeout))?;
    Ok(relay)
}

fn is_on_its_way(relay: &Relay) -> Result<()> {
    wait::until("the push is on its way", wait::PATIENCE, || {
        Ok(relay.bytes(Direction::ToHost) > 2_000_000)
    })
}

fn makes_room(lab: &mut Lab) -> Result<()> {
    let (scene, frame2) = two(lab)?;
    let relay = with_a_slow_second(&scene, &frame2, 100)?;
    let hold = Hold::at(&scene.frame1, Place::Activation)?;
    let terminal = on_terminal(&scene.mac, "--yes")?;
    let held = hold.reached()?;
    is_on_its_way(&relay)?;
    scene.frame1.admit(Admission::OldOnly)?;
    held.go()?;
    terminal.wait_for("waiting for a new login to confirm")?;
    // What is in the buffers still arrives.
    wait::until("the push stands still", wait::PATIENCE, || {
        let before = relay.bytes(Direction::ToHost);
        let moves = || Ok(relay.bytes(Direction::ToHost) != before);
        Ok(wait::until("it moves", Duration::from_secs(2), moves).is_err())
    })?;
    let came = relay.bytes(Direction::ToHost);
    ensure!(came < u64::from(LARGE) << 20, "the push went on to its end");
    scene.frame1.admit(Admission::All)?;
    end_on_terminal(terminal)?.ends(0, &["frame1: committed", "frame2: committed"])?;
    runs_generation(&frame2, 2)
}

fn unattended(lab: &mut Lab) -> Result<()> {
    let (scene, frame2) = two(lab)?;
    let asks = fleet(2).node("frame2", "sshUser", "askadmin");
    scene.has(asks.node("frame2", "interactiveSudo", true))?;
    let hold = Hold::at(&scene.frame1, Place::Activation)?;
    let before = accepted(&frame2)?.len();
    let mut terminal = on_terminal(&scene.mac, "--yes")?;
    let held = hold.reached()?;
    wait::until("a login before its turn", wait::PATIENCE, || {
        Ok(accepted(&frame2)?.len() > before)
    })?;
    wait::until("that login is over", wait::PATIENCE, || {
        Ok(frame2.sh("pgrep -u askadmin sshd || :")?.is_empty())
    })?;
    let shown = terminal.shown()?;
    ensure!(!shown.contains("password"), "{shown}");
    held.go()?;
    terminal.wait_for("sudo password on frame2")?;
    terminal.types(&format!("{ASKADMIN_PASSWORD}\n"))?;
    end_on_terminal(terminal)?.ends(0, &["frame1: committed", "frame2: committed"])?;
    runs_generation(&frame2, 2)
}

/// The second machine has a file that cannot be built.
const FAILS: &str = r#"{
  outputs =
    { self }:
    let
      of = name: builtins.fromJSON (builtins.readFile (./machines + "/${name}.json"));
      failing = derivation {
        name = "failing.service";
        system = "x86_64-linux";
        builder = "/bin/sh";
        PATH = "/usr/bin:/bin";
        args = [ "-c" "echo begun >> /var/tmp/begun; sleep 2; exit 7" ];
      };
      system = name: more: import ./systems/nixos.nix ((of name).generation // more);
    in
    {
      nixosConfigurations.frame1 = system "frame1" { };
      nixosConfigurations.frame2 = system "frame2" {
        units."failing.service".link = "${failing}";
      };
      deploy.nodes.frame1 = (of "frame1").node;
      deploy.nodes.frame2 = (of "frame2").node;
    };
}
"#;

fn fails_once(lab: &mut Lab) -> Result<()> {
    let (scene, frame2) = two(lab)?;
    scene.has(fleet(2))?;
    write_flake(&scene.mac, FAILS)?;
    scene.mac.sh("install -m 0666 /dev/null /var/tmp/begun")?;
    scene
        .deploy("frame1 frame2")?
        .ends(4, &["frame1: committed", "the system for frame2 cannot be built", "exit code 7"])?;
    let begun = scene.mac.sh("cat /var/tmp/begun")?;
    ensure!(begun.lines().count() == 1, "it was built again: {begun}");
    is_untouched(&frame2)
}

fn interrupted(lab: &mut Lab) -> Result<()> {
    let (scene, frame2) = two(lab)?;
    let relay = with_a_slow_second(&scene, &frame2, 30)?;
    let hold = Hold::at(&scene.frame1, Place::PreSwitchCheck)?;
    let mut terminal = on_terminal(&scene.mac, "--yes")?;
    let held = hold.reached()?;
    is_on_its_way(&relay)?;
    terminal.types("\x03")?;
    held.go()?;
    end_on_terminal(terminal)?.ends(130, &["frame1 was not switched", "nothing was changed"])?;
    nothing_left(&scene.mac)?;
    is_untouched(&frame2)?;
    // Nothing that it left holds up the next one.
    drop(relay);
    scene.has(fleet(3))?;
    scene.deploy("--yes")?.ends(0, &["frame1: committed", "frame2: committed"])
}

/// A `nix` whose evaluations take so long that the next ones are divided.
const SLOW: &str =
    "#!/bin/sh\ncase \" $* \" in *' eval '*) sleep 9 ;; esac\nexec /usr/bin/nix \"$@\"\n";

/// A `nix` that evaluates frame2 once it may.
const HOLDS: &str = r#"#!/bin/sh
case "$*" in *'among\":[\"frame2\"]'*) until [ -e /root/go ]; do sleep 0.1; done ;; esac
exec /usr/bin/nix "$@"
"#;

fn evaluated(lab: &mut Lab) -> Result<()> {
    let (scene, frame2) = two(lab)?;
    let run = |command: &str| format!("cd {FOLDER}; PATH=/usr/local/bin:$PATH {DEPLOY} {command}");
    scene.has(
        Fleet::of("frame1", Generation::new("frame1", 9))
            .machine("frame2", Generation::new("frame2", 9)),
    )?;
    scene.mac.write("/usr/local/bin/nix", SLOW, 0o755)?;
    scene.mac.sh(&run("plan frame1 frame2"))?;
    scene.has(fleet(2))?;
    scene.mac.write("/usr/local/bin/nix", HOLDS, 0o755)?;
    let running = scene.mac.command(["sh", "-c", &run("frame1 frame2")]).spawn()?;
    has_its_system(&scene, &scene.frame1)?;
    is_untouched(&scene.frame1)?;
    scene.mac.sh("touch /root/go")?;
    end(running)?.ends(0, &["frame1: committed", "frame2: committed"])?;
    runs_generation(&scene.frame1, 2)?;
    runs_generation(&frame2, 2)
}
