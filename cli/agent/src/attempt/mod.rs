//! An attempt on this machine: its record and state machine, the watchers, and all that it does
//! to the machine. What only looks at the machine is in `machine`; who asks is in `serve`.

pub mod agent;
pub mod arm;
pub mod confirmation;
pub mod expire;
pub mod ledger;
pub mod recover;
pub mod running;
pub mod stage;
pub mod switch;
pub mod transition;
pub mod watch;
