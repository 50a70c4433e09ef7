//! Queries, which change nothing on a machine: following an attempt, and requests to its agent.

pub mod look;
pub mod survey;
pub mod watch;
