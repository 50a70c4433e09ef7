//! The operator interrupts `deploy` in each of its phases, or `deploy` is killed before anything
//! changed.

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::relay::{Direction, Relay};
use deploy_lab::hosts::{Admission, Host, Lab, Terminal, wait};
use deploy_lab::systems::{Fault, Fleet};
use serde_json::json;

use super::left_behind::{ENDED, far, locked, lost_in_the_middle, road};
use super::{
    end_on_terminal, flake_that_builds, on_terminal, runs_generation, second, write_flake,
};
use crate::faults::hold::{Hold, Place, check};
use crate::harness::Scenario;
use crate::scene::{ANSWERS, Said, Scene};

pub const ALL: &[Scenario] = &[
    Scenario::new("ctrl-c-before-the-switch-changes-nothing-and-leaves-nothing", ctrl_c),
    Scenario::new("ctrl-c-ends-a-build-wherever-it-is", building),
    Scenario::new("ctrl-c-at-a-question-is-an-answer", at_questions),
    Scenario::new("a-signal-at-a-question-ends-deploy", signals_at_questions),
    Scenario::new("ctrl-c-while-the-machine-is-taken-switches-nothing", taking),
    Scenario::new("ctrl-c-in-each-phase-says-what-becomes-of-the-machine", phases),
    Scenario::new("ctrl-c-while-it-is-confirmed-goes-back", confirming),
    Scenario::new("a-terminated-deploy-tells-the-machine-to-go-back", terminated),
    Scenario::new("a-closed-terminal-tells-the-machine-to-go-back", hung_up),
    Scenario::new("ctrl-c-while-it-goes-back-and-again-leaves-it-to-itself", again),
    Scenario::new("ctrl-c-while-it-reboots-leaves-it-to-itself", rebooting),
    Scenario::new("a-killed-deploy-leaves-no-ssh-and-no-nix", killed),
];

/// The processes of `deploy` that are left on the operator's computer, as command lines.
fn left(mac: &Host) -> Result<String> {
    let script = "ps -eo pid,args | grep -E '[d]eploy-|[/ ]nix |[s]sh -|[n]ix-build' | \
                  grep -v -E 'sshd|nix-daemon|grep' || :";
    mac.sh(script)
}

/// The state of frame1 that must not change: the running system, profiles, roots and the record.
fn state(frame1: &Host) -> Result<String> {
    frame1.sh("readlink /run/current-system; ls -l --time-style=+ /nix/var/nix/profiles/system*; \
         find /nix/var/nix/gcroots /nix/var/deploy-agent 2> /dev/null | sort || :; \
         sha256sum /boot/grub/grub.cfg")
}

/// Checks that nothing changed. The keeper of a push's mark syncs the store before it removes the
/// mark.
fn unchanged(frame1: &Host, before: &str) -> Result<()> {
    wait::until("frame1 is as before", wait::PATIENCE, || Ok(state(frame1)? == before)).map_err(
        |error| {
            let after = state(frame1).unwrap_or_default();
            error.context(format!("frame1 changed:\n{before}\n--- to\n{after}"))
        },
    )
}

fn none_runs(mac: &Host) -> Result<()> {
    wait::until("nothing of deploy is left", wait::PATIENCE, || Ok(left(mac)?.is_empty()))
        .map_err(|error| error.context(left(mac).unwrap_or_default()))
}

pub(super) fn nothing_left(mac: &Host) -> Result<()> {
    none_runs(mac)?;
    let folders = mac.sh("ls -d /tmp/deploy-* 2> /dev/null || :")?;
    ensure!(folders.is_empty(), "folders are left: {folders}");
    Ok(())
}

fn held(scene: &Scene) -> Result<Relay> {
    let relay = road(&scene.frame1)?;
    scene.has(far(2))?;
    Ok(relay)
}

fn pushes(relay: &Relay) -> Result<()> {
    wait::until("the push is on its way", wait::PATIENCE, || {
        Ok(relay.bytes(Direction::ToHost) > 2_000_000)
    })
}

fn ctrl_c(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let relay = held(&scene)?;
    let before = state(&scene.frame1)?;
    let interrupted = |said: Said| -> Result<()> {
        said.ends(130, &["interrupted", "nothing was changed"])?;
        nothing_left(&scene.mac)?;
        unchanged(&scene.frame1, &before)
    };
    // During the evaluation.
    scene.mac.write("/usr/local/bin/nix", SLOW_EVALUATION, 0o755)?;
    let mut terminal = on_terminal(&scene.mac, "frame1")?;
    wait::until("nix evaluates", wait::PATIENCE, || {
        Ok(scene.mac.root().join("root/evaluates").exists())
    })?;
    terminal.types("\x03")?;
    interrupted(end_on_terminal(terminal)?)?;
    scene.mac.sh("rm /usr/local/bin/nix")?;
    // During the push.
    let mut terminal = on_terminal(&scene.mac, "frame1")?;
    pushes(&relay)?;
    terminal.types("\x03")?;
    interrupted(end_on_terminal(terminal)?)
}

const SLOW_EVALUATION: &str = "#!/bin/sh\ncase \" $* \" in\n*' eval '*) touch /root/evaluates; \
                               exec sleep 1000 ;;\nesac\nexec /usr/bin/nix \"$@\"\n";

fn building(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.wants(second())?;
    let quarter_of_an_hour = "sleep 987; echo > $out";
    let slow = flake_that_builds("slow.service", "x86_64-linux", quarter_of_an_hour);
    write_flake(&scene.mac, &slow)?;
    let before = state(&scene.frame1)?;
    for (place, builds) in [("local", &scene.mac), ("target", &scene.frame1)] {
        let building = |wanted| {
            wait::until("the build", wait::PATIENCE, || {
                let asked = builds.command(["pgrep", "-fx", "sleep 987"]).run()?;
                Ok((asked.code == 0) == wanted)
            })
            .with_context(|| format!("{place}: builds: {wanted}"))
        };
        let mut terminal = on_terminal(&scene.mac, &format!("frame1 --build-on {place}"))?;
        building(true)?;
        terminal.types("\x03")?;
        end_on_terminal(terminal)?.ends(130, &["interrupted", "nothing was changed"])?;
        building(false)?;
        nothing_left(&scene.mac)?;
        unchanged(&scene.frame1, &before)?;
    }
    Ok(())
}

/// A deploy that asks for a sudo password.
fn with_sudo_password() -> Fleet {
    let fleet = Fleet::of("frame1", second()).node("frame1", "sshUser", "askadmin");
    fleet.node("frame1", "interactiveSudo", true)
}

fn at_questions(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let before = state(&scene.frame1)?;
    scene.has(with_sudo_password())?;
    let at = |args: &str, question: &str, first: Option<(&str, &str)>| -> Result<()> {
        let mut terminal: Terminal = on_terminal(&scene.mac, args)?;
        if let Some((question, answer)) = first {
            terminal.wait_for(question)?;
            terminal.types(answer)?;
        }
        terminal.wait_for(question)?;
        terminal.types("\x03")?;
        wait::until("the terminal is in order", wait::PATIENCE, || terminal.echoes())?;
        end_on_terminal(terminal)?.ends(130, &["interrupted", "nothing was changed"])?;
        nothing_left(&scene.mac)
    };
    at("", "[y/N]", None)?;
    at("frame1", "sudo password on frame1", None)?;
    scene.mac.sh("ssh-keygen -q -p -P '' -N 'open sesame' -f /root/.ssh/id_ed25519")?;
    at("frame1", "Enter passphrase", None)?;
    scene.mac.sh("ssh-keygen -q -p -P 'open sesame' -N '' -f /root/.ssh/id_ed25519")?;
    let password = format!("{}\n", deploy_lab::hosts::ASKADMIN_PASSWORD);
    at("frame1 --interactive", "switch frame1?", Some(("sudo password on", &password)))?;
    // The last one pushed first.
    unchanged(&scene.frame1, &before)
}

/// A signal as from `timeout` or from a closed terminal, while `deploy` asks a question.
fn signals_at_questions(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let before = state(&scene.frame1)?;
    scene.has(with_sudo_password())?;
    for signal in ["TERM", "HUP"] {
        let terminal = on_terminal(&scene.mac, "frame1")?;
        terminal.wait_for("sudo password on frame1")?;
        sends(&scene.mac, signal)?;
        wait::until("the terminal is in order", wait::PATIENCE, || terminal.echoes())?;
        end_on_terminal(terminal)?.ends(130, &["interrupted", "nothing was changed"])?;
        nothing_left(&scene.mac)?;
    }
    unchanged(&scene.frame1, &before)
}

/// The machine has already replied that it is taken when the interrupt arrives. `deploy` does not
/// start the attempt.
fn taking(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let one = scene.runs()?;
    scene.wants(second())?;
    let hold = Hold::at(&scene.frame1, Place::PreSwitchCheck)?;
    let mut terminal = on_terminal(&scene.mac, "frame1")?;
    let held = hold.reached()?;
    terminal.types("\x03")?;
    held.go()?;
    let said = end_on_terminal(terminal)?;
    let parts = ["interrupted before the switch", "frame1 was not switched", "nothing was changed"];
    said.ends(130, &parts)?;
    ensure!(!said.text.contains("arming"), "it was begun:\n{}", said.text);
    scene.ends_on(&one)
}

/// Removes all other holds.
fn hold_only_this(frame1: &Host) -> Result<()> {
    frame1.sh("rm /run/hold/*.at").map(drop)
}

/// Releases what is held, if the machine has not ended it. The reader may be gone.
fn let_go(frame1: &Host) -> Result<()> {
    let script = "cd /run/hold; for go in *.go; do exec 3<>\"$go\"; rm \"$go\"; echo >&3; done";
    frame1.sh(script).map(drop)
}

fn phases(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let one = scene.runs()?;
    let fleet = Fleet::of("frame1", second()).node("frame1", "confirmTimeout", 250);
    scene.has(fleet.node("frame1", "checks", json!([check()])))?;
    let back = "frame1 was rolled back";
    for (place, shown, says, code, end) in [
        (
            Place::Arm,
            "staging the attempt",
            "interrupted before the switch",
            130,
            "frame1 was not switched",
        ),
        (Place::Activation, "activating", "interrupted in the middle of the switch", 3, back),
        (Place::Check, "checking", "interrupted: telling the machine to go back", 3, back),
        (Place::BootLoader, "committing", "interrupted too late to go back", 4, "committed"),
    ] {
        let hold = Hold::at(&scene.frame1, place)?;
        let mut terminal = on_terminal(&scene.mac, "frame1")?;
        let held = hold.reached()?;
        hold_only_this(&scene.frame1)?;
        terminal.wait_for(shown)?;
        terminal.types("\x03")?;
        terminal.wait_for(says)?;
        let_go(&scene.frame1)?;
        drop(held);
        end_on_terminal(terminal)?.ends(code, &[end]).with_context(|| format!("{place:?}"))?;
        ensure!(
            end == "committed" || scene.runs()? == one,
            "{place:?}: frame1 runs {}",
            scene.runs()?
        );
    }
    scene.ends_on(&scene.wanted()?)
}

/// The first login survives when Ctrl-C ends the processes of the terminal, and cancels the
/// attempt: the machine rolls back long before its deadline.
fn confirming(lab: &mut Lab) -> Result<()> {
    stopped_while_waiting(lab, "the operator interrupted", |_, terminal| terminal.types("\x03"))
}

fn terminated(lab: &mut Lab) -> Result<()> {
    let why = "deploy was terminated on the operator's computer";
    stopped_while_waiting(lab, why, |mac, _| sends(mac, "TERM"))
}

/// SIGHUP, as the kernel sends it to all processes of a closed terminal.
fn hung_up(lab: &mut Lab) -> Result<()> {
    let why = "the operator's terminal was closed";
    stopped_while_waiting(lab, why, |mac, _| {
        sends(mac, "HUP")?;
        mac.sh("pkill -HUP -x ssh || :").map(drop)
    })
}

fn sends(mac: &Host, signal: &str) -> Result<()> {
    mac.sh(&format!("kill -{signal} $(pgrep -x deploy)")).map(drop)
}

/// A deploy that cannot be confirmed: its switch is held until new logins fail.
pub fn unconfirmed(scene: &Scene, timeout: u32) -> Result<Terminal> {
    scene.has(Fleet::of("frame1", second()).node("frame1", "confirmTimeout", timeout))?;
    let hold = Hold::at(&scene.frame1, Place::Activation)?;
    let terminal = on_terminal(&scene.mac, "frame1")?;
    let held = hold.reached()?;
    scene.frame1.admit(Admission::OldOnly)?;
    held.go()?;
    Ok(terminal)
}

fn stopped_while_waiting(
    lab: &mut Lab,
    why: &str,
    stop: impl Fn(&Host, &mut Terminal) -> Result<()>,
) -> Result<()> {
    let scene = Scene::new(lab)?;
    let one = scene.runs()?;
    let mut terminal = unconfirmed(&scene, 250)?;
    terminal.wait_for("waiting for a new login to confirm")?;
    stop(&scene.mac, &mut terminal)?;
    let said = end_on_terminal(terminal)?;
    scene.frame1.admit(Admission::All)?;
    said.ends(3, &["telling the machine to go back", "frame1 was rolled back", why])?;
    ensure!(!said.text.contains("could not be told"), "{}", said.text);
    scene.ends_on(&one)
}

fn again(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let one = scene.runs()?;
    let mut terminal = unconfirmed(&scene, 4)?;
    let held = Hold::at(&scene.frame1, Place::Activation)?.reached()?;
    terminal.wait_for("rolling back")?;
    terminal.types("\x03")?;
    terminal.wait_for("the machine is going back already")?;
    terminal.types("\x03")?;
    let said = end_on_terminal(terminal)?;
    scene.frame1.admit(Admission::All)?;
    let state = "state: not known yet: it goes back to generation 1 (the baseline";
    said.ends(5, &["stopped following attempt", "interrupted again", state])?;
    held.go()?;
    wait::until("frame1 is back", wait::PATIENCE, || {
        Ok(scene.deploy("status frame1")?.text.contains("rolled back"))
    })?;
    scene.ends_on(&one)
}

/// The connection disappears with the system that it belonged to, and nobody is there to answer a
/// question.
fn rebooting(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let one = scene.runs()?;
    let wrecked = second().with(&Fault::NoSshdUntilReboot);
    scene.has(Fleet::of("frame1", wrecked).node("frame1", "confirmTimeout", 4))?;
    let mut terminal = on_terminal(&scene.mac, "frame1")?;
    terminal.wait_for("asking over a new login")?;
    terminal.types("\x03")?;
    let said = end_on_terminal(terminal)?;
    let state = "state: not known yet: it goes back to generation 1 (the baseline";
    said.ends(5, &["rebooting into", "interrupted while it could not be asked", state])?;
    scene.frame1.wait_for_reboot(ANSWERS)?;
    scene.frame1.wait_until_up()?;
    scene.frame1.wait_for_ssh(ANSWERS)?;
    scene.deploy("status frame1")?.ends(0, &["rolled back", "it was rebooted into"])?;
    scene.ends_on(&one)
}

fn killed(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let relay = held(&scene)?;
    let before = state(&scene.frame1)?;
    let kill = || {
        scene.mac.sh("kill -KILL $(pgrep -x deploy)")?;
        none_runs(&scene.mac)
    };
    let _pushing = scene.begin("frame1")?;
    pushes(&relay)?;
    kill()?;
    unchanged(&scene.frame1, &before)?;
    // The machine notices the lost connection, because the network delivers its end.
    wait::until("nothing is received", wait::PATIENCE, || Ok(!locked(&scene.frame1)?))?;
    // Once more, with a network that delivers nothing, and another large path, because the first
    // one may have arrived by now.
    scene.has(far(3))?;
    let _pushing = scene.begin("frame1")?;
    lost_in_the_middle(&scene.frame1, &relay)?;
    kill()?;
    ensure!(locked(&scene.frame1)?, "nothing was left behind on frame1");
    runs_generation(&scene.frame1, 1)?;
    scene.deploy("frame1 --hostname frame1")?.ends(0, &[ENDED, "committed"])
}
