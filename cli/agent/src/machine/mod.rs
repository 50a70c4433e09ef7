//! What the machine is: what runs and boots, the boot loaders' files, units, profiles, roots.
//! Nothing here knows of an attempt's phases.

pub mod boot_files;
pub mod boot_places;
pub mod look;
pub mod profiles;
pub mod roots;
pub mod systemd_boot;
pub mod units;
