//! The rollback, step by step: each step applies where the one before fails.

pub mod deadline;
pub mod emergency;
pub mod follow;
pub mod garbage;
pub mod moves;
pub mod no_way_back;
pub mod proof;
pub mod reboot;
pub mod record;
pub mod rights;
pub mod set;
pub mod systemd_boot;
