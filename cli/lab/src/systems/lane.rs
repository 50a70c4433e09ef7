//! What a scenario is tried on.

use super::{BASELINE, REAL};
use crate::prepared::Prepared;

/// The kind of systems on both ends of a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Made without nixpkgs, with a switch that imitates NixOS's.
    StandIn,
    /// Real NixOS.
    Real,
}

impl Lane {
    /// A name, for files and people.
    pub fn word(self) -> &'static str {
        match self {
            Self::StandIn => "stand-in",
            Self::Real => "real-nixos",
        }
    }

    /// The hosts to begin with.
    pub fn set(self) -> &'static Prepared {
        match self {
            Self::StandIn => &BASELINE,
            Self::Real => &REAL,
        }
    }
}
