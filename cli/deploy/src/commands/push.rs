//! `deploy push`: pushes the closures to the machines and switches nothing.

use deploy_wire::attempt::Mode;

use super::deploy::Order;
use crate::{
    args::PushOnlyArgs,
    pipeline::{BeforeSwitch, Goal, WhenBusy},
};

/// Builds and pushes; returns the exit code.
pub async fn run(args: &PushOnlyArgs) -> u8 {
    let PushOnlyArgs { machines, asking, showing, reach, identity, place, push, checks, wait } =
        args;
    let overrides = place.overrides(push.overrides(reach.overrides(showing.overrides())));
    let order = Order {
        words: machines.words(),
        yes: asking.yes,
        shown: showing.report(),
        overrides,
        way: reach.way(),
        accepted: identity.accepted(),
        checks: *checks,
        agent: push.agent.clone(),
        goal: Goal::Pushed,
        // Nothing is switched, so these two have no effect.
        mode: Mode::Switch,
        before_switch: BeforeSwitch::GoOn,
        when_busy: WhenBusy::of(*wait),
    };
    order.carry_out(None).await
}
