//! An attempt on this machine: its record, its state machine, its watchers, and every change to the
//! machine. Code that only looks at the machine is in `machine`; requests are in `serve`.

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
