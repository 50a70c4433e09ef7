//! What a lost connection leaves on the machine: a push that holds a lock of Nix.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::relay::{Direction, Relay, RoadSpec, Traffic};
use deploy_lab::hosts::{ASKADMIN_PASSWORD, Host, HostSpec, Lab, Places, programs, wait};
use deploy_lab::systems::{BASELINE, Fleet, Generation};

use super::{end_on_terminal, on_terminal, runs_generation};
use crate::harness::Scenario;
use crate::scene::{Scene, end, line};

pub const ALL: &[Scenario] = &[
    Scenario::new("the-next-deploy-ends-what-a-lost-connection-left-behind", lost),
    Scenario::new("a-push-that-waits-for-another-operators-says-so-and-goes-on", waits),
];

/// The message about a push that was left behind.
pub const ENDED: &str = "frame1: ended a push that a lost connection left behind";

/// A slow network to frame1, at frame1-far.
pub fn road(frame1: &Host) -> Result<Relay> {
    Relay::start(frame1, RoadSpec { one_way: Duration::ZERO, mbit_per_second: Some(8) })
}

/// A fleet whose frame1 is behind that network. Its generation has one large path.
pub fn far(number: u32) -> Fleet {
    let generation = Generation::new("frame1", number).ballast(20);
    Fleet::of("frame1", generation).node("frame1", "hostname", "frame1-far")
}

/// Whether a process holds the lock of a large path.
pub fn locked(frame1: &Host) -> Result<bool> {
    let script = "for lock in /nix/store/*-ballast.lock; do \
                  [ ! -e \"$lock\" ] || flock -n \"$lock\" true || exit 7; done";
    Ok(frame1.command(["sh", "-c", script]).run()?.code == 7)
}

/// Waits until frame1 receives the large path, and then stops the network towards it.
pub fn lost_in_the_middle(frame1: &Host, relay: &Relay) -> Result<()> {
    wait::until("the large path is on its way", Duration::from_secs(60), || locked(frame1))?;
    relay.set(Direction::ToHost, Traffic::Held);
    // The path must not have arrived completely.
    ensure!(locked(frame1)?, "the large path was there before the road was closed");
    Ok(())
}

fn lost(lab: &mut Lab) -> Result<()> {
    let scene = Scene::with_programs_in(Places::Nixos, lab)?;
    let relay = road(&scene.frame1)?;
    // `deploy` itself reports the lost connection, and sudo needs no password.
    scene.has(far(2).node("frame1", "sshUser", "admin"))?;
    let pushing = scene.begin("frame1")?;
    lost_in_the_middle(&scene.frame1, &relay)?;
    end(pushing)?.ends(1, &["cannot push the system to frame1", "nothing was changed"])?;
    ensure!(locked(&scene.frame1)?, "nothing was left behind");
    scene.deploy("frame1 --hostname frame1")?.ends(0, &[ENDED, "committed"])?;
    runs_generation(&scene.frame1, 2)?;
    relay.set(Direction::ToHost, Traffic::Passes);
    // `deploy` is killed, and sudo needs a password.
    let fleet = far(3).node("frame1", "sshUser", "askadmin");
    scene.has(fleet.node("frame1", "interactiveSudo", true))?;
    let password = |args: &str| -> Result<_> {
        let mut terminal = on_terminal(&scene.mac, args)?;
        terminal.wait_for("sudo password on frame1")?;
        terminal.types(&format!("{ASKADMIN_PASSWORD}\n"))?;
        Ok(terminal)
    };
    let _pushing = password("frame1")?;
    lost_in_the_middle(&scene.frame1, &relay)?;
    scene.mac.sh("kill -KILL $(pgrep -x deploy)")?;
    ensure!(locked(&scene.frame1)?, "nothing was left behind");
    super::login::is_in_no_file(&scene.mac)?;
    end_on_terminal(password("frame1 --hostname frame1")?)?.ends(0, &[ENDED, "committed"])?;
    runs_generation(&scene.frame1, 3)?;
    // The control: nothing is left behind, and no trace is kept.
    scene.has(far(4).node("frame1", "sshUser", "admin"))?;
    let said = scene.deploy("frame1 --hostname frame1")?;
    said.ends(0, &["committed"])?;
    ensure!(!said.text.contains(ENDED), "{}", said.text);
    let kept = scene.mac.sh("ls -A /root/.cache/deploy/leases")?;
    ensure!(kept.is_empty(), "leases are left: {kept}");
    Ok(())
}

fn waits(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let mac2 = lab.prepared_as(&BASELINE, "mac", HostSpec::named("mac2")?)?;
    mac2.boot()?;
    mac2.wait_until_up()?;
    programs::install(&mac2)?;
    let relay = road(&scene.frame1)?;
    far(2).write(&mac2)?;
    scene.has(far(2))?;

    let other = mac2.command(["sh", "-c", &line("frame1")]).spawn()?;
    lost_in_the_middle(&scene.frame1, &relay)?;
    let mut waits = scene.begin("frame1 --hostname frame1")?;
    let said = "frame1: no progress for 15 s: process ";
    wait::until("it says that it waits", Duration::from_secs(60), || {
        ensure!(waits.is_running()?, "{}{}", waits.stdout()?, waits.stderr()?);
        Ok(waits.stdout()?.contains(said))
    })?;
    let text = waits.stdout()?;
    let rest = text.split(said).nth(1).unwrap_or_default();
    ensure!(rest.contains(" there (nix-daemon, since "), "{text}");
    ensure!(rest.contains(", from "), "{text}");
    let process = rest.split(' ').next().context("its number")?;
    let program = scene.frame1.sh(&format!("cat /proc/{process}/comm"))?;
    ensure!(program == "nix-daemon" && locked(&scene.frame1)?, "it was ended: {program}");
    end(other)?.ends(1, &["cannot push the system to frame1"])?;
    // The machine now learns that the other operator is gone.
    relay.set(Direction::ToHost, Traffic::Passes);
    let said = end(waits)?;
    said.ends(0, &["committed"])?;
    ensure!(said.text.matches("no progress for").count() == 1, "{}", said.text);
    ensure!(!said.text.contains(ENDED), "{}", said.text);
    runs_generation(&scene.frame1, 2)
}
