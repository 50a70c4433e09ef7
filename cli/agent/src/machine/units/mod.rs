//! Units: what they were before, what they are now, and which of them this
//! deploy broke.

pub mod definition;
pub mod restore;
pub mod role;
pub mod runs;
pub mod snapshot;
pub mod verdict;
pub mod watched;
