//! What a fault is tried on.

use deploy_lab::prepared::Prepared;
use deploy_lab::systems::{BASELINE, REAL};

/// The kind of systems on both ends of a deploy.
#[derive(Clone, Copy, Debug)]
pub enum Lane {
    /// Made without nixpkgs.
    StandIn,
    /// Real NixOS, from a flake of its own.
    Real,
}

impl Lane {
    /// The hosts to begin with.
    pub fn set(self) -> &'static Prepared {
        match self {
            Self::StandIn => &BASELINE,
            Self::Real => &REAL,
        }
    }
}

/// `NAME => FUNCTION`: a scenario for each lane, the second as `NAME-on-real-nixos`.
macro_rules! on_both_lanes {
    ($($name:literal => $run:path),+ $(,)?) => {
        &[$(
            $crate::harness::Scenario::new($name, |lab| {
                $run(&$crate::faults::case::Case::new(lab, $crate::faults::lane::Lane::StandIn)?)
            }),
            $crate::harness::Scenario::new(concat!($name, "-on-real-nixos"), |lab| {
                $run(&$crate::faults::case::Case::new(lab, $crate::faults::lane::Lane::Real)?)
            })
            .unless(|| deploy_lab::systems::REAL.missing()),
        )+]
    };
}
pub(crate) use on_both_lanes;
