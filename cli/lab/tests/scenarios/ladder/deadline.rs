//! The timer behind the watching service, for the case that the service does not act.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use deploy_lab::lab::Lab;
use deploy_lab::network::Admission;
use deploy_wire::outcome::End;
use deploy_wire::phase::Phase;

use crate::faults::case::Case;
use crate::faults::lane::Lane;
use crate::faults::wanted::Wanted;
use crate::harness::Scenario;

pub const ALL: &[Scenario] = &[Scenario::new(
    "a-watching-service-that-stands-still-or-is-gone-is-replaced-at-the-deadline",
    replaced,
)];

const NOBODY: &str = "no new SSH login confirmed within 6 s";

/// It is alive and does nothing, as in a call that does not return; systemd does not start it
/// again, as after a `systemctl stop`.
const WAYS: [&str; 2] = ["kill --kill-whom=all --signal=STOP", "stop"];

fn replaced(lab: &mut Lab) -> Result<()> {
    let case = Case::new(lab, Lane::StandIn)?;
    case.wants(&Wanted::new(2).confirmed_within(Duration::from_secs(6)))?;
    for way in WAYS {
        let mut running = case.begin_waiting()?;
        // Its own look at the attempt would start the service again.
        running.kill()?;
        let record = case.record()?;
        case.frame1.sh(&format!("systemctl {way} deploy-agent-{}.service", record.attempt))?;
        ensure!(record.phase == Phase::Waiting, "{way} came too late: {:?}", case.record()?);
        case.reaches(Phase::Ended).context(way)?;
        case.recorded(End::RolledBack, NOBODY)?;
        case.frame1.admit(Admission::All)?;
        case.ends_on(&case.before).context(way)?;
    }
    case.commits_after_waiting()
}
