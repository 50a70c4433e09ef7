//! What a scenario is tried on.

use super::baseline::BASELINE;
use super::prepared::Prepared;
use super::real::REAL;

/// The kind of systems on both ends of a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Made without nixpkgs, with a switch that imitates NixOS's.
    StandIn,
    /// Real NixOS.
    Real,
    /// The stand-in's, with a user on the machine who holds all that he can.
    Hostile,
}

impl Lane {
    /// A name, for files and people.
    pub fn word(self) -> &'static str {
        match self {
            Self::StandIn => "stand-in",
            Self::Real => "real-nixos",
            Self::Hostile => "hostile",
        }
    }

    /// Whether its systems are NixOS's own.
    pub fn is_real(self) -> bool {
        self == Self::Real
    }

    /// The hosts to begin with.
    pub fn set(self) -> &'static Prepared {
        match self {
            Self::StandIn | Self::Hostile => &BASELINE,
            Self::Real => &REAL,
        }
    }
}
