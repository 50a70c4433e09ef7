//! The verdict of one look at the machine.

use crate::attempt::ledger::Happened;

pub enum LookResult {
    /// Everything is healthy.
    Well,
    /// Nothing can be decided yet; the text names what the agent waits for.
    NotYet(String),
    /// The deploy fails.
    GiveUp(Happened),
}
