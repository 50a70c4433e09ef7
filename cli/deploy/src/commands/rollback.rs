//! `deploy rollback`: an earlier generation, under the same guarantees.

use super::deploy::Order;
use crate::{
    args::{AttemptArgs, RollbackArgs},
    pipeline::{BeforeSwitch, Goal, WhenBusy},
};

/// Goes back; gives the exit code.
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
        // They are about the flake's system, not about an earlier one.
        checks: false,
        agent: push.agent.clone(),
        goal: Goal::Generation(*to),
        mode: attempt.mode(),
        before_switch: BeforeSwitch::of(*interactive),
        when_busy: WhenBusy::of(*wait),
    };
    order.carry_out(None).await
}
