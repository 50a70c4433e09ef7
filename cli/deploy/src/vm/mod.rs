//! Virtual machines on this computer: their folders, what they boot, qemu's command line, and the
//! process that keeps them. This room knows nothing of flakes and prints nothing.

pub mod builders;
pub mod computer;
pub mod disks;
pub mod entry;
pub mod folder;
pub mod image;
pub mod keeper;
pub mod key;
pub mod ports;
pub mod qemu;
pub mod qmp;
pub mod run;
