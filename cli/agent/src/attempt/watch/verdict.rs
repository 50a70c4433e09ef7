//! What a look at the machine comes to.

use crate::attempt::ledger::Happened;

/// What one look at the machine says.
pub enum LookResult {
    /// All is well.
    Well,
    /// It cannot be told yet, and what is waited for.
    NotYet(String),
    /// The deploy is to be given up.
    GiveUp(Happened),
}
