//! The third step of the rollback: a reboot into the previous boot default.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::wait;
use deploy_lab::systems::Fault;
use deploy_wire::outcome::End;
use deploy_wire::phase::Phase;
use serde_json::json;

use crate::faults::case::Case;
use crate::faults::lane::on_both_lanes;
use crate::faults::wanted::Wanted;
use crate::harness::Scenario;
use crate::scene::{ANSWERS, end};

pub const ALL: &[Scenario] = on_both_lanes![
    "what-no-switch-brings-back-is-rebooted-into-what-booted-before" => reboots,
    "a-machine-that-must-not-reboot-is-stranded-and-says-what-happens-next" => stays,
];

/// How long these machines wait for a login that does not arrive.
const LIMIT: Duration = Duration::from_secs(4);
/// The limit from the start of `deploy` to the reboot: the build, the watch of ten seconds, and two
/// steps of the rollback.
const REBOOTS: Duration = Duration::from_secs(120);

const NOBODY: &str = "no new SSH login confirmed within 4 s";
const NO_SSHD: &str = "sshd does not run any more";

fn wrecked() -> Wanted {
    Wanted::new(2).confirmed_within(LIMIT).with(&Fault::NoSshdUntilReboot)
}

fn reboots(case: &Case) -> Result<()> {
    case.wants(&wrecked())?;
    let running = case.begin("frame1")?;
    wait::until("the attempt reboots", REBOOTS, || {
        Ok(case.record().is_ok_and(|record| record.phase == Phase::Rebooting))
    })?;
    case.frame1.wait_for_reboot(REBOOTS)?;
    case.frame1.wait_until_up()?;
    let rebooted = "it was rebooted into what it booted before";
    let said = end(running)?;
    said.ends(3, &["frame1 was rolled back", NOBODY, NO_SSHD, rebooted])?;
    said.ends(3, &["rebooting into the previous boot default", "state: back on generation 1"])?;
    case.recorded(End::RolledBack, rebooted)?;
    case.deploy("status frame1")?.ends(0, &["rolled back", rebooted])?;
    case.ends_on(&case.before)?;
    case.wants(&Wanted::new(3))?;
    case.commits()
}

fn stays(case: &Case) -> Result<()> {
    case.wants(&wrecked().node("rollback", json!({ "reboot": false })))?;
    let said = case.deploy("frame1")?;
    let next = format!(
        "rollback.reboot is false, so it does not reboot by itself; switched off and on again, it \
         boots {}",
        case.before
    );
    said.ends(5, &["frame1 is stranded", NOBODY, NO_SSHD, &next])?;
    case.recorded(End::Stranded, NO_SSHD)?;
    ensure!(case.mac.command(["ssh", "frame1", "true"]).run()?.code == 255, "a login works");
    let console = case.frame1.sh("/run/deploy-agent/agent status")?;
    ensure!(console.contains("stranded") && console.contains(&next), "{console}");

    case.frame1.power_cut_and_boot()?;
    case.frame1.wait_for_ssh(ANSWERS)?;
    case.deploy("status frame1")?.ends(0, &["stranded", NO_SSHD])?;
    case.ends_on(&case.before)?;
    case.wants(&Wanted::new(3))?;
    case.commits()
}
