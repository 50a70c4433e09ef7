//! What is deployed in a cell: a system, and limits short enough to wait for.

use deploy_lab::fault_table::{Fault, Phase};
use deploy_lab::systems::{self, Fleet, Generation, Image, Stage};
use serde_json::{Value, json};

/// Made of nothing for the check that holds its phase, and for the one that fails.
pub const CHECKED: &str = "/run/checked";

/// Confirmations that must not come; a machine waits no longer than that.
pub const SHORT: u64 = 6;
/// Confirmations that must come, on a machine that does much besides.
pub const LONG: u64 = 60;

/// The closure's part that takes long to send.
pub const BALLAST_MIB: u32 = 8;

/// The fleet of a cell.
pub fn fleet(fault: Fault, phase: Phase, number: u32) -> Fleet {
    let mut fleet = Fleet::of("frame1", generation(fault, phase, number))
        .node("frame1", "units", json!({ "watch": 1 }))
        .node("frame1", "timeouts", timeouts(fault))
        .node("frame1", "confirmTimeout", if never_confirmed(fault) { SHORT } else { LONG })
        .node("frame1", "checks", checks(phase));
    if needs_road(fault, phase) {
        fleet = fleet.node("frame1", "hostname", "frame1-far");
    }
    fleet
}

/// Whether the operator reaches the machine through a relay.
pub fn needs_road(fault: Fault, phase: Phase) -> bool {
    matches!(phase, Phase::Ask | Phase::Push)
        || fault == Fault::AnswerLost
        || (fault, phase) == (Fault::BootFull, Phase::Stage)
}

fn generation(fault: Fault, phase: Phase, number: u32) -> Generation {
    let system = Generation::new("frame1", number);
    let system = if phase == Phase::Push { system.ballast(BALLAST_MIB) } else { system };
    match (fault, phase) {
        (Fault::NoNewLogins, Phase::Activate) => system.with(&systems::Fault::RefusedLogins),
        (Fault::MountFails, Phase::Activate) => system.with(&systems::Fault::FailingMount),
        (Fault::HalfSwitched, Phase::Activate) => system.breaks_off(Stage::AfterRestart),
        (Fault::BootFull, _) => system.kernel(Image::new("6.13.0", 2048)),
        _ => system,
    }
}

/// Whether no confirmation comes through because of it.
pub fn never_confirmed(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::OperatorKilled | Fault::OperatorSuspended | Fault::NetworkGone | Fault::NoNewLogins
    )
}

fn timeouts(fault: Fault) -> Value {
    match fault {
        Fault::NetworkGone => json!({ "activation": 12, "check": 12, "rollback": 12 }),
        Fault::Hangs => json!({ "activation": 6, "check": 30, "rollback": 30 }),
        _ => json!({ "activation": 60, "check": 60, "rollback": 60 }),
    }
}

fn checks(phase: Phase) -> Value {
    let check = |argv: &[&str], grace: u32| {
        json!([{ "name": "held", "service": "lab", "grace": grace,
                 "kind": { "type": "command", "argv": argv } }])
    };
    match phase {
        Phase::Check => check(&["test", "-e", CHECKED], 60),
        Phase::RollBack => check(&["false"], 0),
        _ => json!([]),
    }
}
