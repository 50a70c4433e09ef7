//! The host key of a machine among the readers of its secrets: before the machine is there, and when
//! it is installed.

mod given;
mod installed;

pub use given::{GivenKey, KeyWritten, give, kept};
pub use installed::MachineKey;
