//! What is measured: how far away the machine is, and what there is to do.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::hosts::relay::RoadSpec;

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// The machine runs what is wanted already.
    Unchanged,
    /// One file below /etc is another; no unit is touched. It is activated and confirmed.
    Change,
    /// A system with this many new paths of this size, taken from Debian's /usr.
    Paths {
        /// How many.
        count: u32,
        /// Each, in KiB; 0 for single small files.
        kib: u32,
    },
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its title in the table.
    pub title: &'static str,
    /// What there is to do.
    pub work: Work,
    /// The round trip to the machine, in milliseconds.
    pub round_trip_ms: u64,
    /// How wide the road is, each way; none for no limit.
    pub mbit_per_second: Option<u32>,
}

const SMALL: Work = Work::Paths { count: 1000, kib: 0 };
const MIB_128: Work = Work::Paths { count: 16, kib: 8 << 10 };
const GIB: Work = Work::Paths { count: 32, kib: 32 << 10 };

/// All of them.
pub const ALL: [Case; 8] = [
    case("unchanged", "nothing changed", Work::Unchanged, 0, None),
    case("unchanged-far", "nothing changed", Work::Unchanged, 50, None),
    case("change", "one path changed, confirmed", Work::Change, 0, None),
    case("change-far", "one path changed, confirmed", Work::Change, 50, None),
    case("small", "1000 small paths", SMALL, 0, None),
    case("small-far", "1000 small paths", SMALL, 50, None),
    case("large-far", "128 MiB at 50 Mbit/s", MIB_128, 50, Some(50)),
    case("huge", "1 GiB", GIB, 0, None),
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

    /// The road to the machine.
    pub fn road(&self) -> RoadSpec {
        RoadSpec {
            one_way: Duration::from_millis(self.round_trip_ms / 2),
            mbit_per_second: self.mbit_per_second,
        }
    }

    /// Whether paths are pushed, so that `nix copy` is the measure.
    pub fn pushes(&self) -> bool {
        matches!(self.work, Work::Paths { .. })
    }
}
