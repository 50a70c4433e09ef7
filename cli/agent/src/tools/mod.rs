//! The programs that the agent starts and the sockets that it asks: one file each.

pub mod age;
pub mod command;
pub mod journal;
pub mod mark;
pub mod nix;
pub mod pid1;
pub mod process;
pub mod switch_to_configuration;
pub mod systemd;
