//! Logins that a person made by typing a password: the new login that confirms asks again.

use super::{Probed, login_user};
use crate::{
    error::{Failure, Result},
    tools::terminal,
};

/// The ways in which `ssh` asks somebody, as it names them.
const TYPED: [&str; 2] = ["password", "keyboard-interactive"];

impl Probed {
    /// Refuses a switch whose confirmation would wait in vain for a password: it would only be
    /// rolled back. `a-password-login-is-asked-again-or-refused-before-the-build` proves it.
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

    /// What somebody at the terminal has to know before the switch.
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
