//! The words that `deploy` and `deploy-agent` both speak: `machine.json`, the
//! attempt's record, the messages over SSH, and the reading of boot loader
//! files. Types and pure functions only; nothing here does I/O.

#![forbid(unsafe_code)]

pub mod attempt;
pub mod baseline;
pub mod event;
pub mod loader;
pub mod machine;
pub mod mark;
pub mod message;
pub mod outcome;
pub mod phase;
pub mod printable;
pub mod record;
pub mod sealed;
pub mod store_path;

/// The version of the messages. Both sides speak this one and the one before. Documents on a
/// machine's disk have [`sealed::VERSION`].
pub const WIRE_VERSION: u32 = 1;
