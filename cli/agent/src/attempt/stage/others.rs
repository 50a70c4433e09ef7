//! Checks for other users of the machine, and that it is the right machine.

use deploy_wire::{
    baseline::ANOTHER_MACHINE,
    message::{Refusal, RefusalKind, Stage},
    record::Record,
};

use super::refusal::{StageError, refuse, refuse_with};
use crate::{
    attempt::agent::Agent,
    clock,
    machine::look,
    tools::{
        pid1::{self, Which, is_alive},
        switch_lock,
    },
};

/// The units in which other tools run a switch.
const SWITCHING: [&str; 2] =
    ["nixos-rebuild-switch-to-configuration*.service", "nixos-upgrade.service"];

/// The refusal while another attempt is open.
pub fn busy(open: &Record) -> Refusal {
    let ago = clock::wall().saturating_sub(open.since);
    let who = format!("{} at {}", open.operator.user, open.operator.host);
    refuse_with(
        RefusalKind::Busy,
        format!("{who} deploys since {ago} s (attempt {}, phase {})", open.attempt, open.phase),
        "--wait waits for it",
    )
}

/// The refusal while another attempt is being staged.
pub fn being_staged() -> Refusal {
    refuse_with(RefusalKind::Busy, "another deploy is just starting", "--wait waits for it")
}

/// Refuses while another tool switches, if another system runs than expected, or on another
/// machine.
pub fn refuse_beside_others(agent: &Agent, asked: &Stage) -> Result<(), StageError> {
    for unit in pid1::units(Which::Matching(&SWITCHING))? {
        if is_alive(&unit.active) {
            let why = format!("another tool is switching this machine: {} runs", unit.name);
            return Err(refuse(RefusalKind::OtherTool, why).into());
        }
    }
    if switch_lock::runs_now() {
        let why = "another tool is switching this machine: switch-to-configuration runs";
        return Err(refuse(RefusalKind::OtherTool, why).into());
    }
    // A rollback leads to the system that ran when `deploy` asked:
    // `table-other-tool-switches-in-push`.
    match look::running() {
        Some(running) if running == asked.expects => {}
        Some(running) => {
            let why = format!("the machine runs {running} now, not {}", asked.expects);
            return Err(refuse_with(RefusalKind::Moved, why, "run deploy again").into());
        }
        None => {
            let why = "/run/current-system names no system in /nix/store";
            return Err(refuse(RefusalKind::NotSwitchable, why).into());
        }
    }
    // `deploy` has checked the identity too, but only with the rights of its login user:
    // `a-machine-whose-id-is-new-at-each-boot-is-the-same-machine`.
    let here = look::identity();
    match agent.ledger.confirmed()? {
        Some(confirmed) if !confirmed.is_of(&here) => Err(refuse_with(
            RefusalKind::WrongMachine,
            confirmed.describe_other_machine(&here),
            ANOTHER_MACHINE,
        )
        .into()),
        _ => Ok(()),
    }
}
