//! The systems of hosts: without nixpkgs, from NixOS's own modules, or from this repository's own
//! flake; and the prepared sets of hosts that run them. Nothing here starts `deploy`.
//!
//! `systems/GENERATION.md` describes a system's fields, and `systems/BEHAVIOURS.md` its switch.

mod agenix;
mod baseline;
mod faults;
mod files;
mod fleet;
mod generation;
mod homelab;
mod lane;
mod nixpkgs;
mod prepared;
mod ready;
mod real;
pub mod sets;

pub use self::agenix::AgenixFleet;
pub use self::baseline::{
    BASELINE, Loader, PAIR, build, build_and_copy, closure, install, install_system,
};
pub use self::faults::Fault;
pub use self::fleet::{FOLDER, Fleet};
pub use self::generation::{Generation, Image, Stage, Unit};
pub use self::homelab::{
    FRAME1_ADDRESS, HOMELAB, HOMELAB_FOLDER, Homelab, OVERRIDE, Secrets, StubFault, copy_checkout,
    frame1,
};
pub use self::lane::Lane;
pub use self::nixpkgs::input;
pub use self::prepared::Prepared;
pub use self::ready::{READY, Ready};
pub use self::real::{Module, REAL, RealFleet, SERVICES};
