//! The deployed systems of the cells, with limits short enough for a test.

use deploy_lab::systems::{Lane, Ready};
use deploy_lab::tables::fault_table::{Fault, Phase};
use serde_json::{Map, Value, json};

/// The empty file for the check that holds its phase, and for the one that fails.
pub const CHECKED: &str = "/run/checked";

/// The limit in seconds for confirmations that must not arrive.
pub const SHORT: u64 = 6;
/// The limit in seconds for confirmations that must arrive, on a busy machine.
pub const LONG: u64 = 60;

/// Holds like the pre-switch check of a stand-in, which a real system of that age does not have.
const HOLD: &str = "[ -p /run/hold/check.at ] || exit 0
echo check > /run/hold/check.at; read -r _ < /run/hold/check.go";

/// The wanted system of a cell.
pub fn system(fault: Fault, phase: Phase) -> Ready {
    match (fault, phase) {
        (Fault::NoNewLogins, Phase::Activate) => Ready::RefusedLogins,
        (Fault::MountFails, Phase::Activate) => Ready::FailingMount,
        (Fault::BootFull, _) => Ready::OtherKernel,
        (_, Phase::Push) => Ready::Large,
        _ => Ready::Wanted,
    }
}

/// The settings of its node.
pub fn node(fault: Fault, phase: Phase, lane: Lane) -> Map<String, Value> {
    let mut node = watched();
    node.insert("timeouts".into(), timeouts(fault));
    let confirm = if never_confirmed(fault) { SHORT } else { LONG };
    node.insert("confirmTimeout".into(), confirm.into());
    node.insert("checks".into(), checks(phase));
    if lane.is_real() && phase == Phase::Stage {
        let hold = json!({ "service": "lab", "argv": ["/bin/sh", "-c", HOLD], "timeout": 120 });
        node.insert("beforeActivate".into(), json!([hold]));
    }
    if needs_road(fault, phase) {
        node.insert("hostname".into(), "frame1-far".into());
    }
    if (fault, phase) == (Fault::SecondOperator, Phase::Ask) {
        // The login is held as long as the other deploy takes.
        node.insert("sshOpts".into(), json!(["-o", "ConnectTimeout=100"]));
    }
    node
}

/// The settings of every cell.
pub fn watched() -> Map<String, Value> {
    Map::from_iter([("units".to_owned(), json!({ "watch": 1 }))])
}

/// Whether the operator reaches the machine through a relay.
pub fn needs_road(fault: Fault, phase: Phase) -> bool {
    matches!(phase, Phase::Ask | Phase::Push)
        || fault == Fault::AnswerLost
        || (fault, phase) == (Fault::BootFull, Phase::Stage)
}

/// Whether the fault prevents every confirmation.
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
