//! Units that look well when the switch ends.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::systems::Fault;
use deploy_wire::outcome::End;

use super::case::Case;
use super::lane::on_both_lanes;
use super::wanted::Wanted;
use crate::harness::Scenario;

pub const ALL: &[Scenario] =
    on_both_lanes!["a-unit-that-dies-six-seconds-after-its-start-is-rolled-back" => dies];

const PAUSE: Duration = Duration::from_secs(5);

fn dies(case: &Case) -> Result<()> {
    case.wants(
        &Wanted::new(2).with(&Fault::DyingUnit { life: Duration::from_secs(6), pause: PAUSE }),
    )?;
    let said = case.deploy("frame1")?;
    said.ends(3, &["frame1 was rolled back", "state: back on generation 1"])?;
    said.ends(3, &["frame1: switched", "dying.service is broken by this deploy"])?;
    case.recorded(
        End::RolledBack,
        "dying.service: it ended (exit-code) and waits to be restarted",
    )?;
    // The watch is longer than its life: no login is asked for before it is seen to die.
    ensure!(!said.text.contains("waiting for a new login"), "{}", said.text);
    case.logged(&["Started dying.service", "dying.service: Main process exited, code=exited"])?;
    case.ends_on(&case.before)?;
    let long = Fault::DyingUnit { life: Duration::from_secs(100_000), pause: PAUSE };
    case.wants(&Wanted::new(3).with(&long))?;
    case.commits()
}
