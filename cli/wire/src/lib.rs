//! The types that `deploy` and `deploy-agent` share: `machine.json`, the attempt's record, the
//! messages over SSH, and the parsers of boot loader files. The crate has types and pure functions
//! only; nothing here does I/O.

#![forbid(unsafe_code)]

pub mod attempt;
pub mod baseline;
pub mod builder_push;
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

/// The version of the messages. Both sides accept this version and the one before. Documents on a
/// machine's disk have their own [`sealed::VERSION`].
pub const WIRE_VERSION: u32 = 1;
