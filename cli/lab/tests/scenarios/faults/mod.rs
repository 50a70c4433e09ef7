//! Faults in the middle of a deploy: each ends on exactly one system, and `deploy` says which.
//! Every fault has a control: the same set-up without it commits.

mod case;
mod hold;
mod lane;
pub mod power;
pub mod ssh;
mod wanted;
