//! The programs that the agent starts: one file each.

pub mod age;
pub mod command;
pub mod journal;
pub mod mark;
pub mod nix;
pub mod process;
pub mod switch_to_configuration;
pub mod systemd;
