//! Hosts: machines in namespaces, their parts, and the lab around them. Nothing here knows which
//! systems the hosts boot, or what tests do with them.

pub mod access;
mod base;
pub(crate) mod cache;
mod cgroup;
mod disk;
mod host;
mod inotify;
mod lab;
mod network;
mod nix;
pub(crate) mod process;
pub mod programs;
pub mod reexec;
pub mod relay;
mod spec;
pub mod supervisor;
pub mod wait;
pub mod wall_clock;
mod words;

pub use self::base::{ASKADMIN_PASSWORD, BaseRoot, Places};
pub use self::cgroup::Cgroup;
pub use self::disk::DiskSize;
pub(crate) use self::host::BOOT_STEP;
pub use self::host::{Host, HostCommand, Output, Running, Terminal};
pub use self::lab::Lab;
pub use self::network::{Admission, HOME, LAB_ADDRESS, Link};
pub use self::nix::Nix;
pub use self::spec::{HOSTS, HostSpec};
