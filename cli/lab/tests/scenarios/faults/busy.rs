//! Two operators, or another tool.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::{Host, HostCommand, HostSpec, Lab, programs, wait};
use deploy_lab::systems::Lane;
use deploy_wire::outcome::End;

use super::case::Case;
use super::hold::{Hold, Place};
use super::wanted::Wanted;
use crate::harness::Scenario;
use crate::scene::{Said, end, line, wanted};

pub const ALL: &[Scenario] = &[
    Scenario::new("a-second-operator-is-told-who-deploys-and-since-when-and-may-wait", second),
    Scenario::new(
        "another-tool-that-switches-before-the-switch-has-the-machine",
        before_the_switch,
    ),
];

/// `deploy` with the name of a person.
fn deploy(operator: &Host, name: &str, args: &str) -> HostCommand {
    operator.command(["sh", "-c", &line(args)]).env("USER", name)
}

fn second(lab: &mut Lab) -> Result<()> {
    let lane = Lane::StandIn;
    let case = Case::new(lab, lane)?;
    let mac2 = lab.prepared_as(lane.set(), "mac", HostSpec::named("mac2")?)?;
    mac2.boot()?;
    mac2.wait_until_up()?;
    programs::install(&mac2)?;
    case.wants(&Wanted::new(2))?;
    Wanted::new(3).write(&mac2, lane)?;

    let hold = Hold::at(&case.frame1, Place::Activation)?;
    let anna = deploy(&case.mac, "anna", "frame1").spawn()?;
    let held = hold.reached()?;
    let attempt = case.record()?.attempt;
    let told = Said::of(&deploy(&mac2, "ben", "frame1").run()?);
    let whose = format!("attempt {attempt} by anna@mac");
    let cause = format!("cause: {whose}, since ");
    told.ends(1, &["error: frame1 is being deployed to", &cause, "state: nothing was changed"])?;
    told.ends(1, &[" s, phase activate", "hint:  --wait"])?;

    let waits = format!("waiting for the end of {whose}");
    let mut ben = deploy(&mac2, "ben", "frame1 --wait").spawn()?;
    wait::until("ben waits", Duration::from_secs(60), || {
        ensure!(ben.is_running()?, "{}{}", ben.stdout()?, ben.stderr()?);
        Ok(ben.stdout()?.contains(&waits))
    })?;
    ensure!(case.record()?.attempt == attempt, "the second operator took the machine");
    held.go()?;
    end(anna)?.ends(0, &["frame1: committed generation 2"])?;
    end(ben)?.ends(0, &[&waits, "frame1: committed generation 3"])?;
    let record = case.record()?;
    ensure!(record.operator.user == "ben" && record.operator.host == "mac2", "{record:?}");
    case.ends_on(&wanted(&mac2)?)?;
    // The control: without another operator, --wait does not wait.
    case.wants(&Wanted::new(4))?;
    let alone = Said::of(&deploy(&case.mac, "anna", "frame1 --wait").run()?);
    alone.ends(0, &["frame1: committed"])?;
    ensure!(!alone.text.contains("waiting for the end"), "{}", alone.text);
    case.ends_on(&case.wanted()?)
}

/// No lock is held between `stage` and the switch.
fn before_the_switch(lab: &mut Lab) -> Result<()> {
    let case = Case::new(lab, Lane::StandIn)?;
    case.wants(&Wanted::new(2))?;
    case.commits()?;
    case.wants(&Wanted::new(3))?;
    let (running, held) = case.begin_held_at(Place::Arm)?;
    case.frame1.sh(&format!("{}/bin/switch-to-configuration switch", case.before))?;
    case.frame1.sync()?;
    held.go()?;
    let why = "another system was switched to before this one";
    end(running)?.ends(4, &["another tool switched frame1 in the middle", why])?;
    case.recorded(End::TakenOver, why)?;
    case.ends_on(&case.before)?;
    case.commits()
}
