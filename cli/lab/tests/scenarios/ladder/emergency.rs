//! The second step of the rollback: emergency mode, where sshd, the system bus and all timers are
//! stopped.

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
    // Milliseconds decide whether the first login survives the emergency, and whether the switch
    // sees a failed unit (4) or loses the bus (1).
    let why = "the switch ended with status ";
    case.deploy("frame1")?
        .ends(3, &["frame1 was rolled back", why, "state: back on generation 1"])?;
    case.recorded(End::RolledBack, why)?;
    case.logged(&["Reached target emergency.target", "Stopped dbus.service"])?;
    case.ends_on(&case.before)?;
    case.wants(&Wanted::new(3))?;
    case.commits()
}
