//! The kind of systems that a scenario runs on.

use super::baseline::BASELINE;
use super::prepared::Prepared;
use super::real::REAL;

/// The kind of systems that are deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Systems without nixpkgs, whose switch imitates that of NixOS.
    StandIn,
    /// Real NixOS.
    Real,
    /// The stand-in's systems, with a hostile user on the machine who holds every lock that they
    /// can.
    Hostile,
}

impl Lane {
    /// The lane's name, for files and people.
    pub fn word(self) -> &'static str {
        match self {
            Self::StandIn => "stand-in",
            Self::Real => "real-nixos",
            Self::Hostile => "hostile",
        }
    }

    /// Whether the systems are real NixOS.
    pub fn is_real(self) -> bool {
        self == Self::Real
    }

    /// The prepared hosts of the lane.
    pub fn set(self) -> &'static Prepared {
        match self {
            Self::StandIn | Self::Hostile => &BASELINE,
            Self::Real => &REAL,
        }
    }
}
