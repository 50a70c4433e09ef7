//! SSH: the one login that a run works over, and the fresh one that confirms.

mod diagnosis;
mod escalation;
mod fresh;
mod heard;
mod login;
mod target;

pub use diagnosis::{Diagnosis, SshError};
pub use escalation::{Escalation, Password};
pub use fresh::Fresh;
pub use login::Login;
pub use target::Target;
