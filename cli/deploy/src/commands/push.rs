//! `deploy push`: pushes the closures to the machines and switches nothing.

use super::deploy::Order;
use crate::{
    args::PushOnlyArgs,
    pipeline::{Goal, WhenBusy},
};

/// Builds and pushes; returns the exit code.
pub async fn run(args: &PushOnlyArgs) -> u8 {
    let PushOnlyArgs { change, place, checks, wait } = args;
    let order = Order {
        overrides: place.overrides(change.overrides()),
        checks: *checks,
        when_busy: WhenBusy::of(*wait),
        ..Order::of(change, Goal::Pushed)
    };
    order.carry_out(None).await
}
