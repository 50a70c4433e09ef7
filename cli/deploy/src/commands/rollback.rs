//! `deploy rollback`: returns to an earlier generation, under the same guarantees as a deploy.

use super::deploy::Order;
use crate::{
    args::{AttemptArgs, RollbackArgs},
    pipeline::{BeforeSwitch, Goal, WhenBusy},
};

/// Rolls back; returns the exit code. The flake's checks say nothing about an earlier system, so
/// they are not run.
pub async fn run(args: &RollbackArgs) -> u8 {
    let RollbackArgs { to, change, attempt, rules } = args;
    let AttemptArgs { boot: _, test: _, interactive, wait } = attempt;
    let order = Order {
        overrides: rules.overrides(change.overrides()),
        mode: attempt.mode(),
        before_switch: BeforeSwitch::of(*interactive),
        when_busy: WhenBusy::of(*wait),
        ..Order::of(change, Goal::Generation(*to))
    };
    order.carry_out(None).await
}
