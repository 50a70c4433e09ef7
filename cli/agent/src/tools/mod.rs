//! The programs and sockets that the agent uses, one file each. They know nothing of attempts.

pub mod age;
pub mod command;
pub mod connect;
pub mod journal;
pub mod mark;
pub mod nix;
pub mod pid1;
pub mod process;
pub mod profile;
pub mod sshd;
pub mod switch_lock;
pub mod switch_to_configuration;
pub mod systemd;
pub mod user;
