//! SSH: the one login of a run, and the new login that confirms. Only Nix starts ssh besides, with
//! the options that are made here.

mod asks_nothing;
mod begun;
mod diagnosis;
mod escalation;
mod fresh;
mod handover;
mod harmless;
mod heard;
pub mod host_key;
pub mod known_hosts;
pub mod login;
mod named;
mod opening;
mod options;
mod other_host;
mod password;
mod refusal;
mod route;
mod target;
mod to_root;
mod tunnel;
mod words;

pub use begun::Begun;
pub use diagnosis::{Diagnosis, SshError, more_sessions};
pub use escalation::{Escalation, INSTALLED, OnlyTheAgent, may, without_password};
pub use fresh::Fresh;
pub use handover::{Handover, as_ssh};
pub use harmless::first_beyond;
pub use login::{Greeted, Login, Remote};
pub use named::named;
pub use opening::Opening;
pub use options::{Options, args_that_lend_nothing};
pub use other_host::OtherHost;
pub use password::Password;
pub use refusal::RootRefusal;
pub use route::Route;
pub use target::Target;
pub use to_root::{NotRoot, read as read_sudo, reads_a_password};
