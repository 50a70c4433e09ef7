//! What only looks at a machine: following an attempt, and asking whether the agent has something.
//! Nothing here changes a machine.

pub mod look;
pub mod watch;
