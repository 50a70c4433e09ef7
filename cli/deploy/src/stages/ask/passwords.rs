//! Sudo passwords that the operator types on the terminal.

use std::{collections::BTreeMap, io};

use zeroize::Zeroizing;

use crate::{
    error::{Failure, Result},
    tools::{
        printable::Printable,
        ssh::Password,
        terminal::{self, Echo},
    },
};

/// The sudo passwords of this run, by machine. A password goes only to the machine that it was
/// typed for, because any machine can claim that it needs one.
/// `a-sudo-password-goes-to-the-machine-it-was-typed-for` proves it.
#[derive(Debug, Default)]
pub struct Passwords {
    typed: BTreeMap<String, Password>,
}

impl Passwords {
    /// The password of `machine`. It is asked for once in a run.
    pub async fn of(&mut self, machine: &str) -> Result<Password> {
        self.asked_by(machine, async |question| terminal::ask(question, Echo::Hidden).await)
            .await
            .map_err(|error| not_asked(machine, &error))
    }

    async fn asked_by(
        &mut self,
        machine: &str,
        ask: impl AsyncFnOnce(Printable) -> io::Result<Zeroizing<String>>,
    ) -> io::Result<Password> {
        if let Some(password) = self.typed.get(machine) {
            return Ok(password.clone());
        }
        let question = Printable::line(&format!("sudo password on {machine}:"));
        let password = Password::new(ask(question).await?);
        self.typed.insert(machine.to_owned(), password.clone());
        Ok(password)
    }
}

fn not_asked(machine: &str, error: &io::Error) -> Box<Failure> {
    Failure::unchanged(format!("cannot ask for the sudo password of {machine}"))
        .because(match error.raw_os_error() {
            // ENXIO: /dev/tty exists, but there is no terminal.
            Some(6) => "there is no terminal to ask on".to_owned(),
            _ => error.to_string(),
        })
        .hint(Some("run deploy on a terminal, or allow the user sudo without a password".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_asked_for_each_machine_and_once_for_one() {
        let mut passwords = Passwords::default();
        let mut asked = Vec::new();
        let mut lines = Vec::new();
        for machine in ["frame1", "frame2", "frame1"] {
            let password = passwords
                .asked_by(machine, async |question| {
                    asked.push(question.to_string());
                    Ok(Zeroizing::new(format!("of {machine}")))
                })
                .await;
            lines.push(password.unwrap().line().to_string());
        }
        assert_eq!(asked, ["sudo password on frame1:", "sudo password on frame2:"]);
        assert_eq!(lines, ["of frame1\n", "of frame2\n", "of frame1\n"]);
    }
}
