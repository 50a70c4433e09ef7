//! `deploy rollback`: returns to an earlier generation, under the same guarantees as a deploy.

use super::deploy::Order;
use crate::{
    args::{AttemptArgs, RollbackArgs},
    pipeline::{BeforeSwitch, Goal, WhenBusy},
};

/// Rolls back; returns the exit code.
pub async fn run(args: &RollbackArgs) -> u8 {
    let RollbackArgs { to, machines, asking, showing, reach, identity, push, attempt, rules } =
        args;
    let AttemptArgs { boot: _, test: _, interactive, wait } = attempt;
    let overrides = push.overrides(reach.overrides(showing.overrides()));
    let order = Order {
        words: machines.words(),
        yes: asking.yes,
        shown: showing.report(),
        overrides: rules.overrides(overrides),
        way: reach.way(),
        accepted: identity.accepted(),
        // The flake's checks say nothing about an earlier system.
        checks: false,
        agent: push.agent.clone(),
        goal: Goal::Generation(*to),
        mode: attempt.mode(),
        before_switch: BeforeSwitch::of(*interactive),
        when_busy: WhenBusy::of(*wait),
    };
    order.carry_out(None).await
}
