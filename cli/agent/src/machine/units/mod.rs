//! Units: their state at `stage`, their state now, and which of them this deploy broke. Nothing here
//! starts or stops a unit.

pub mod definition;
pub mod restore;
pub mod role;
pub mod runs;
pub mod snapshot;
pub mod verdict;
pub mod watched;
