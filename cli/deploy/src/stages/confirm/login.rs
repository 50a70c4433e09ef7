//! The new login that confirms, and what it means when it confirms nothing.

use std::{sync::PoisonError, time::Instant};

use deploy_wire::{
    attempt::Login,
    message::{RefusalKind, Reply, Request},
    outcome::Outcome,
};

use super::{Started, describe_failed_answer, is_passing, pauses};
use crate::{
    report::{Event, NewLogin, Report},
    tools::{
        agent::{AgentError, Conversation},
        ssh::{Diagnosis, Fresh, SshError, Target},
    },
};

/// A new login that confirmed nothing.
enum NotConfirmed {
    /// It did not come about.
    NoLogin(SshError),
    /// It did, and then the agent did not run, as where sudo refuses.
    NoAgent(SshError),
}

impl Started<'_> {
    /// Tries to confirm until the machine says how it ended. `None` when trying
    /// on is useless.
    pub(super) async fn confirm(&self, report: &Report) -> Option<Outcome> {
        let machine = &self.probed.machine;
        let deadline = Instant::now() + machine.confirm.timeout();
        let targets = self.confirming_targets();
        let mut denied = 0;
        for pause in pauses() {
            for target in &targets {
                match self.confirm_at(target, report).await {
                    Ok(Reply::Ended { outcome, .. }) => return Some(outcome),
                    // No refusal: it may count, and is asked for again.
                    Ok(Reply::Refused(refusal)) if is_passing(&refusal) => {
                        self.note(report, describe_failed_answer(&refusal));
                    }
                    Ok(Reply::Refused(refusal)) => {
                        self.note(report, format!("the confirmation was refused: {}", refusal.why));
                        if refusal.kind != RefusalKind::NotNow {
                            return None;
                        }
                    }
                    Ok(_) => {}
                    Err(not) => {
                        let why = not.describe(target);
                        self.note(report, why.clone());
                        *self.no_login.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
                        denied += usize::from(not.is_final_if_repeated());
                        if denied == 2 || not.is_final_at_once() {
                            return None;
                        }
                    }
                }
            }
            if Instant::now() + pause > deadline {
                return None;
            }
            tokio::time::sleep(pause).await;
        }
        None
    }

    async fn confirm_at(&self, target: &Target, report: &Report) -> Result<Reply, NotConfirmed> {
        let mut fresh = self.log_in(target, report).await.map_err(NotConfirmed::NoLogin)?;
        let login = Login::parse(&fresh.connection);
        let prefix = self.probed.root.stdin_prefix();
        let talked = async {
            let mut talk =
                Conversation::begin(&mut fresh.stdout, &mut fresh.stdin, login, &prefix).await?;
            talk.ask(Request::Confirm { attempt: self.attempt.clone() }).await?;
            talk.next().await
        }
        .await;
        match talked {
            Ok(reply) => Ok(reply),
            Err(AgentError::Ended) => Err(NotConfirmed::NoAgent(fresh.why().await)),
            Err(error) => Err(NotConfirmed::NoAgent(SshError::here(&error))),
        }
    }

    /// A new login that starts an agent.
    pub(super) async fn log_in(&self, target: &Target, report: &Report) -> Result<Fresh, SshError> {
        let machine = &self.probed.machine.name;
        let tell = |login| report.tell(Event::Login { machine: machine.clone(), login });
        tell(NewLogin::Begins);
        let serve = self.probed.serve(&self.agent);
        let fresh = Fresh::open(target, &serve, |line| report.note(machine, line)).await;
        tell(NewLogin::Over);
        fresh
    }

    /// Where the new system answers: at its own address if it moves, else first
    /// where the machine answered before. Each address that is dead costs time.
    pub(super) fn confirming_targets(&self) -> Vec<Target> {
        let machine = &self.probed.machine;
        let mut ssh = machine.ssh.clone();
        if let Some(hostname) = &machine.confirm.hostname {
            ssh.hostname.clone_from(hostname);
            ssh.addresses.clear();
        }
        ssh.port = machine.confirm.port.or(ssh.port);
        ssh.host_key = machine.confirm.host_key.clone().or(ssh.host_key);
        let mut targets = Target::all_of(&ssh, &self.probed.options);
        if let Some(login) = self.probed.place.login() {
            targets.sort_by_key(|target| target.hostname != login.target().hostname);
        }
        targets
    }
}

impl NotConfirmed {
    /// In words.
    fn describe(&self, target: &Target) -> String {
        let at = target.user_at_host();
        match self {
            Self::NoLogin(error) => format!("no new login at {at}: {error}"),
            Self::NoAgent(error) => {
                format!("{at} can be logged in to, but may not run the agent any more: {error}")
            }
        }
    }

    /// Whether a second one like this ends the trying: sshd counts them.
    fn is_final_if_repeated(&self) -> bool {
        match self {
            Self::NoLogin(error) => error.diagnosis == Diagnosis::Denied,
            Self::NoAgent(_) => true,
        }
    }

    /// Whether this one ends it.
    fn is_final_at_once(&self) -> bool {
        matches!(self, Self::NoLogin(error) if error.diagnosis == Diagnosis::ChangedHostKey
            || error.diagnosis == Diagnosis::NotThePinnedKey)
    }
}
