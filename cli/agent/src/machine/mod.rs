//! The machine: the running system and the boot default, boot loader files, units, profiles,
//! garbage collector roots. Nothing here knows an attempt's phases.

pub mod boot_files;
pub mod boot_places;
pub mod look;
pub mod profiles;
pub mod roots;
pub mod systemd_boot;
pub mod units;
