//! The machine's store during a push or a build on it: the mark against a power cut, and processes
//! that an earlier connection left behind.

pub mod left_behind;
pub mod mark;
