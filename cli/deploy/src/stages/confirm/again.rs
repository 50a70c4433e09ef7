//! The truth about an attempt whose connection was lost, over new logins.

use std::time::{Duration, Instant};

use deploy_wire::{attempt::Login, machine::Machine, message::Request};
use tokio::io::{AsyncBufRead, AsyncWrite};

use super::{Conclusion, Started, Told, Wish, could_not, is_passing, left, pauses};
use crate::{
    report::Report,
    stages::{
        activate::{Followed, Seen, Watch},
        interrupted::WHILE_LOST,
    },
    tools::{
        agent::Conversation,
        ssh::{Fresh, SshError, Target},
        terminal::Interrupts,
    },
};

impl Started<'_> {
    /// Asks over new logins how it goes, until the machine must have ended it
    /// (all its deadlines and the way back are over then) or the operator has
    /// waited long enough.
    pub(super) async fn ask_again(
        &self,
        followed: &mut Followed,
        wish: Wish,
        told: Told,
        interrupts: &mut Interrupts,
        report: &Report,
    ) -> Conclusion {
        let stopped = tokio::select! {
            biased;
            _ = interrupts.next() => None,
            conclusion = self.ask_until_told(followed, wish, told, report) => Some(conclusion),
        };
        stopped.unwrap_or_else(|| left(WHILE_LOST, followed, told))
    }

    async fn ask_until_told(
        &self,
        followed: &mut Followed,
        wish: Wish,
        told: Told,
        report: &Report,
    ) -> Conclusion {
        let machine = &self.probed.machine;
        let until = Instant::now() + patience(machine);
        let targets: Vec<Target> =
            self.confirming_targets().into_iter().chain(Target::all_of(&machine.ssh)).collect();
        let mut last = "nobody was asked".to_owned();
        for pause in pauses() {
            for target in &targets {
                match self.follow_at(target, wish, followed, report).await {
                    Ok(Seen::Ended(outcome)) => return Conclusion::Known(outcome),
                    Ok(Seen::Refused(refusal)) if is_passing(&refusal) => {
                        self.note(report, could_not(&refusal));
                        last = refusal.why;
                    }
                    Ok(Seen::Refused(refusal)) => return left(&refusal.why, followed, told),
                    Ok(Seen::Lost(error)) => last = error.to_string(),
                    Ok(Seen::Waiting) => {}
                    Err(error) => last = error.to_string(),
                }
            }
            if Instant::now() + pause > until {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        Conclusion::NotKnown(last)
    }

    async fn follow_at(
        &self,
        target: &Target,
        wish: Wish,
        followed: &mut Followed,
        report: &Report,
    ) -> Result<Seen, SshError> {
        let Fresh { stdin, stdout, connection, .. } = &mut self.log_in(target, report).await?;
        let login = Login::parse(connection);
        let prefix = self.probed.root.stdin_prefix();
        let asked = async {
            let stdout: Box<dyn AsyncBufRead + Unpin + Send> = Box::new(stdout);
            let stdin: Box<dyn AsyncWrite + Unpin + Send> = Box::new(stdin);
            let mut watch: Watch<'_> = Conversation::begin(stdout, stdin, login, &prefix).await?;
            let attempt = self.attempt.clone();
            watch
                .ask(match wish {
                    Wish::Confirm => Request::Follow { attempt, from: followed.next },
                    Wish::GiveUp(interrupt) => self.cancel(interrupt),
                })
                .await?;
            Ok(watch)
        };
        match asked.await {
            Ok(mut watch) => {
                Ok(Box::pin(self.see_through(&mut watch, wish, followed, report)).await)
            }
            Err(error) => Ok(Seen::Lost(error)),
        }
    }
}

/// How long the machine may take at most for all that is left.
pub fn patience(machine: &Machine) -> Duration {
    let limits = &machine.timeouts;
    let reboot = if machine.rollback.reboot { limits.rollback() } else { Duration::ZERO };
    limits.activation() + limits.check() + machine.confirm.timeout() + limits.rollback() + reboot
}
