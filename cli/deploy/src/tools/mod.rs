//! The outside world: processes, Nix, SSH, the agent, files. The tools do not know the stages.

pub mod agent;
pub mod answer;
pub mod awake;
pub mod bounded;
pub mod cache;
pub mod colours;
pub mod compress;
pub mod computer;
#[cfg(test)]
pub mod damage;
pub mod lease;
pub mod limit;
pub mod memory;
pub mod nix;
pub mod pause;
pub mod place;
pub mod private;
pub mod process;
pub mod shell;
pub mod ssh;
pub mod terminal;
pub mod working_tree;

pub use deploy_wire::printable;
