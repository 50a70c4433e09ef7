//! The machine's store while paths come to it, from a push or from a build there: its mark against
//! a power cut, and what an earlier connection left behind.

pub mod left_behind;
pub mod mark;
