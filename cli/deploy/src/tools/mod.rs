//! The outside world: processes, Nix, SSH, the agent, files. Knows nothing of
//! the stages.

pub mod agent;
pub mod awake;
pub mod cache;
pub mod lease;
pub mod nix;
pub mod nix_error;
pub mod nix_log;
pub mod place;
pub mod process;
pub mod shell;
pub mod ssh;
pub mod terminal;
