//! The second rung: emergency mode, where sshd, the system bus and all timers are stopped.

use anyhow::Result;
use deploy_lab::systems::Fault;
use deploy_wire::outcome::End;

use crate::faults::case::Case;
use crate::faults::lane::on_both_lanes;
use crate::faults::wanted::Wanted;
use crate::harness::Scenario;

pub const ALL: &[Scenario] = on_both_lanes![
    "a-mount-that-fails-sends-the-machine-to-emergency-and-it-comes-back" => mount,
];

fn mount(case: &Case) -> Result<()> {
    case.wants(&Wanted::new(2).with(&Fault::FailingMount))?;
    let said = case.deploy("frame1")?;
    said.ends(3, &["frame1 was rolled back", "the switch ended with status 1"])?;
    said.ends(
        3,
        &[
            "asking again over a new login",
            "state: back on generation 1",
            "state: back on generation",
        ],
    )?;
    case.recorded(End::RolledBack, "the switch ended with status 1")?;
    case.logged(&["Reached target emergency.target", "Stopped dbus.service"])?;
    case.ends_on(&case.before)?;
    case.wants(&Wanted::new(3))?;
    case.commits()
}
