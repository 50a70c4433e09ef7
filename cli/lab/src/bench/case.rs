//! The cases of the benchmark: the distance of the machine, and the work of a deploy.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::hosts::relay::RoadSpec;

/// The work of a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// The machine runs the wanted system already.
    Unchanged,
    /// One file below /etc changes and no unit is touched. The system is activated and confirmed.
    Change,
    /// A system with this many new paths of this size, taken from Debian's /usr.
    Paths {
        /// The number of paths.
        count: u32,
        /// The size of each path in KiB; 0 for a single small file.
        kib: u32,
    },
    /// Real NixOS systems are evaluated, and nothing else.
    Evaluate {
        /// How many.
        machines: u32,
    },
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name on the command line.
    pub name: &'static str,
    /// The title in the table.
    pub title: &'static str,
    /// The work of the deploy.
    pub work: Work,
    /// The round trip to the machine, in milliseconds.
    pub round_trip_ms: u64,
    /// The bandwidth each way; `None` for no limit.
    pub mbit_per_second: Option<u32>,
}

const SMALL: Work = Work::Paths { count: 1000, kib: 0 };
const MIB_128: Work = Work::Paths { count: 16, kib: 8 << 10 };
const GIB: Work = Work::Paths { count: 32, kib: 32 << 10 };

/// All cases.
pub const ALL: [Case; 9] = [
    case("unchanged", "nothing changed", Work::Unchanged, 0, None),
    case("unchanged-far", "nothing changed", Work::Unchanged, 50, None),
    case("change", "one path changed, confirmed", Work::Change, 0, None),
    case("change-far", "one path changed, confirmed", Work::Change, 50, None),
    case("small", "1000 small paths", SMALL, 0, None),
    case("small-far", "1000 small paths", SMALL, 50, None),
    case("large-far", "128 MiB at 50 Mbit/s", MIB_128, 50, Some(50)),
    case("huge", "1 GiB", GIB, 0, None),
    case("fleet", "8 NixOS systems evaluated", Work::Evaluate { machines: 8 }, 0, None),
];

const fn case(
    name: &'static str,
    title: &'static str,
    work: Work,
    round_trip_ms: u64,
    mbit_per_second: Option<u32>,
) -> Case {
    Case { name, title, work, round_trip_ms, mbit_per_second }
}

impl Case {
    /// The case called `name`.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<Self> {
        let case = ALL.iter().find(|case| case.name == name);
        case.copied().with_context(|| {
            let names: Vec<_> = ALL.iter().map(|case| case.name).collect();
            format!("there is no case {name}: {}", names.join(" "))
        })
    }

    /// The network between the operator and the machine.
    pub fn road(&self) -> RoadSpec {
        RoadSpec {
            one_way: Duration::from_millis(self.round_trip_ms / 2),
            mbit_per_second: self.mbit_per_second,
        }
    }

    /// Whether paths are pushed. Such a case is compared with `nix copy`.
    pub fn pushes(&self) -> bool {
        matches!(self.work, Work::Paths { .. })
    }
}
