//! Logins for which a person typed a password. The new login that confirms asks for it again.

use super::{Probed, login_user};
use crate::{
    error::{Failure, Result},
    tools::terminal,
};

/// The authentication methods for which `ssh` asks, by ssh's own names.
const TYPED: [&str; 2] = ["password", "keyboard-interactive"];

impl Probed {
    /// Refuses a switch if nobody could type the password for the confirmation: the machine would
    /// only roll back. `a-password-login-is-asked-again-or-refused-before-the-build` proves it.
    pub fn can_confirm(&self) -> Result<()> {
        if !self.is_asked_again() || terminal::somebody_may_be_asked() {
            return Ok(());
        }
        let machine = &self.machine;
        let what = format!("a switch of {} could not be confirmed", machine.name);
        let why = format!(
            "{} logged in with a password, which the new login that confirms asks for again, and \
             standard input is no terminal",
            login_user(machine)
        );
        Err(Failure::unchanged(what)
            .because(why)
            .hint(Some("log in with a key (ssh-copy-id), or run deploy in a terminal".into())))
    }

    /// Tells the operator before the switch that `ssh` will ask again.
    pub fn asks_again(&self) -> Option<String> {
        self.is_asked_again().then(|| {
            format!(
                "the new login that confirms asks for the password of {} again, within {} s of \
                 the switch: stay here",
                login_user(&self.machine),
                self.machine.confirm.timeout().as_secs()
            )
        })
    }

    fn is_asked_again(&self) -> bool {
        let typed = self.authenticated.as_deref().is_some_and(|by| TYPED.contains(&by));
        typed && self.machine.confirm.required
    }
}
