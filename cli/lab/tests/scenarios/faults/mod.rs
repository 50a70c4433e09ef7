//! Faults during a deploy. Each deploy ends on exactly one system, and `deploy` reports which.
//! Every fault has a control: the same set-up without the fault commits.

pub mod agent;
pub mod behind;
pub mod busy;
pub mod case;
pub mod checks;
pub mod commit;
pub mod cut_push;
pub mod hold;
pub mod hostile;
pub mod lane;
pub mod operator;
pub mod phases;
pub mod power;
pub mod ssh;
pub mod units;
pub mod wanted;
