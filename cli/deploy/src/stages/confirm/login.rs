//! The new login that confirms, and the reasons why it may not.

use std::{sync::PoisonError, time::Instant};

use deploy_wire::{
    attempt::Login,
    message::{RefusalKind, Reply, Request},
    outcome::Outcome,
};

use super::{Started, describe_failed_answer, is_passing, pauses};
use crate::{
    report::{Event, Moment, Report},
    tools::{
        agent::{AgentError, Conversation},
        ssh::{Diagnosis, Fresh, SshError, Target},
    },
};

/// Why a new login did not confirm.
enum NotConfirmed {
    /// The login failed.
    NoLogin(SshError),
    /// The login succeeded, but the agent did not run, for example because sudo refused.
    NoAgent(SshError),
}

impl Started<'_> {
    /// Tries to confirm until the machine reports the end. `None` if further tries are useless.
    ///
    /// The line is needed for it: on a slow one that pushes to other machines fill, a login can take
    /// longer than the machine waits. `a-push-before-its-turn-makes-room-for-a-confirmation` proves
    /// that they stand still.
    pub(super) async fn confirm(&self, report: &Report) -> Option<Outcome> {
        let _others = self.others.hold();
        let machine = &self.probed.machine;
        let deadline = Instant::now() + machine.confirm.timeout();
        let targets = self.confirming_targets();
        let mut denied = 0;
        for pause in pauses() {
            for target in &targets {
                match self.confirm_at(target, report).await {
                    Ok(Reply::Ended { outcome, .. }) => return Some(outcome),
                    // This is not a refusal: the confirmation may have arrived, so it is sent
                    // again.
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

    /// Logs in anew and starts an agent.
    pub(super) async fn log_in(&self, target: &Target, report: &Report) -> Result<Fresh, SshError> {
        let machine = &self.probed.machine.name;
        let tell = |login| report.tell(Event::Login { machine: machine.clone(), login });
        tell(Moment::Begins);
        let serve = self.probed.serve(&self.agent);
        let fresh = Fresh::open(target, &serve, |line| report.note(machine, line)).await;
        tell(Moment::Over);
        fresh
    }

    /// The addresses at which the new system may answer. If it has its own address, that one comes
    /// first, otherwise the one where the machine answered before. Each dead address takes time.
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
    /// Describes the failure.
    fn describe(&self, target: &Target) -> String {
        let at = target.user_at_host();
        match self {
            Self::NoLogin(error) => format!("no new login at {at}: {error}"),
            Self::NoAgent(error) => {
                format!("{at} can be logged in to, but may not run the agent any more: {error}")
            }
        }
    }

    /// Whether a second failure of this kind ends the tries. sshd counts failed logins.
    fn is_final_if_repeated(&self) -> bool {
        match self {
            Self::NoLogin(error) => error.diagnosis == Diagnosis::Denied,
            Self::NoAgent(_) => true,
        }
    }

    /// Whether the first failure of this kind ends the tries.
    fn is_final_at_once(&self) -> bool {
        matches!(self, Self::NoLogin(error) if error.diagnosis == Diagnosis::ChangedHostKey
            || error.diagnosis == Diagnosis::NotThePinnedKey)
    }
}
