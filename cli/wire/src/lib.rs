//! The words that `deploy` and `deploy-agent` both speak: `machine.json`, the
//! attempt's record, the messages over SSH, and the reading of boot loader
//! files. Types and pure functions only; nothing here does I/O.

pub mod attempt;
pub mod baseline;
pub mod event;
pub mod loader;
pub mod machine;
pub mod message;
pub mod outcome;
pub mod phase;
pub mod record;
pub mod store_path;

/// The version of the messages and the record. Both sides speak this one and
/// the one before.
pub const WIRE_VERSION: u32 = 1;
