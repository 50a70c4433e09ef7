//! SSH: the one login that a run works over, and the fresh one that confirms.

mod diagnosis;
mod escalation;
mod fresh;
mod heard;
mod login;
mod target;

pub use diagnosis::{Diagnosis, SshError, more_sessions};
pub use escalation::{Escalation, INSTALLED, OnlyTheAgent, Password, may, without_password};
pub use fresh::Fresh;
pub use login::Login;
pub use target::Target;
