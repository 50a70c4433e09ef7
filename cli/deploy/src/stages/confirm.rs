//! The confirmation over a new login, and the truth about how the attempt
//! ended, asked for again where a connection was lost.

use std::time::{Duration, Instant};

use deploy_wire::{
    attempt::{AttemptId, Login},
    machine::Machine,
    message::{Refusal, RefusalKind, Reply, Request},
    outcome::Outcome,
};
use tokio::io::{AsyncBufRead, AsyncWrite};

use super::{
    activate::{Seen, Watch, follow},
    ask::Probed,
};
use crate::{
    report::{Event, Report},
    tools::{
        agent::{AgentError, Conversation},
        ssh::{Diagnosis, Fresh, SshError, Target},
    },
};

/// An attempt that was started.
pub struct Started<'run> {
    /// The machine and how it is reached.
    pub probed: &'run Probed,
    /// The attempt.
    pub attempt: AttemptId,
    /// The agent's store path.
    pub agent: String,
}

/// What is known of the end.
#[derive(Debug)]
pub enum Conclusion {
    /// The agent told it.
    Known(Box<Outcome>),
    /// The agent did not begin: nothing was switched.
    Refused(Refusal),
    /// The agent could not be asked: why.
    NotKnown(String),
}

/// Pauses between tries. sshd's penalties and fail2ban count tries, so each is a
/// full login and there are few.
const PAUSES: [u64; 4] = [1, 2, 4, 8];

fn pauses() -> impl Iterator<Item = Duration> {
    let last = PAUSES[PAUSES.len() - 1];
    PAUSES.into_iter().chain(std::iter::repeat(last)).map(Duration::from_secs)
}

impl Started<'_> {
    /// Lets the attempt run, follows it to its end, confirms it when it waits, and gives it up
    /// when the operator interrupts.
    pub async fn conclude(&self, watch: &mut Watch<'_>, report: &Report) -> Conclusion {
        let mut next = 0;
        let mut interrupted = false;
        let start = Request::Start { attempt: self.attempt.clone() };
        if let Err(error) = watch.ask(start).await {
            self.note(report, format!("{error}; asking again over a new login"));
            return self.ask_again(&mut next, report).await;
        }
        loop {
            let seen = tokio::select! {
                seen = self.follow_and_confirm(watch, &mut next, report) => seen,
                _ = tokio::signal::ctrl_c(), if !interrupted => {
                    interrupted = true;
                    self.give_up(report).await;
                    continue;
                }
            };
            return match seen {
                Seen::Ended(outcome) => Conclusion::Known(outcome),
                Seen::Refused(refusal) => Conclusion::Refused(refusal),
                Seen::Waiting => continue,
                Seen::Lost(error) => {
                    self.note(report, format!("{error}; asking again over a new login"));
                    self.ask_again(&mut next, report).await
                }
            };
        }
    }

    /// Follows on, and confirms beside that once it is asked for.
    async fn follow_and_confirm(
        &self,
        watch: &mut Watch<'_>,
        next: &mut u64,
        report: &Report,
    ) -> Seen {
        let name = &self.probed.machine.name;
        match follow(watch, name, next, report).await {
            Seen::Waiting => {}
            other => return other,
        }
        let on = async {
            loop {
                match follow(watch, name, next, report).await {
                    Seen::Waiting => {}
                    other => return other,
                }
            }
        };
        tokio::pin!(on);
        tokio::select! {
            seen = &mut on => seen,
            confirmed = self.confirm(report) => match confirmed {
                Some(outcome) => Seen::Ended(Box::new(outcome)),
                // Nothing more to try: the machine goes back, and says so.
                None => on.await,
            },
        }
    }

    /// Tries to confirm until the machine says how it ended. `None` when trying
    /// on is useless.
    async fn confirm(&self, report: &Report) -> Option<Outcome> {
        let machine = &self.probed.machine;
        let deadline = Instant::now() + machine.confirm.timeout();
        let targets = confirming_targets(machine);
        let mut denied = 0;
        for pause in pauses() {
            for target in &targets {
                match self.confirm_at(target).await {
                    Ok(Reply::Ended { outcome, .. }) => return Some(outcome),
                    Ok(Reply::Refused(refusal)) => {
                        self.note(report, format!("the confirmation was refused: {}", refusal.why));
                        if refusal.kind != RefusalKind::NotNow {
                            return None;
                        }
                    }
                    Ok(_) => {}
                    Err(error) => {
                        self.note(
                            report,
                            format!("no new login at {}: {error}", target.user_at_host()),
                        );
                        denied += usize::from(error.diagnosis == Diagnosis::Denied);
                        if denied == 2 || error.diagnosis == Diagnosis::ChangedHostKey {
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

    async fn confirm_at(&self, target: &Target) -> Result<Reply, SshError> {
        let mut fresh = Fresh::open(target, &self.probed.serve(&self.agent)).await?;
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
            Err(AgentError::Ended) => Err(fresh.why().await),
            Err(error) => Err(SshError::from_stderr(&error.to_string())),
        }
    }

    /// Asks over new logins how it goes, until the machine must have ended it:
    /// all its deadlines and the way back are over then.
    async fn ask_again(&self, next: &mut u64, report: &Report) -> Conclusion {
        let machine = &self.probed.machine;
        let until = Instant::now() + patience(machine);
        let targets: Vec<Target> =
            confirming_targets(machine).into_iter().chain(Target::all_of(&machine.ssh)).collect();
        let mut last = "nobody was asked".to_owned();
        for pause in pauses() {
            for target in &targets {
                match self.follow_at(target, next, report).await {
                    Ok(Seen::Ended(outcome)) => return Conclusion::Known(outcome),
                    Ok(Seen::Refused(refusal)) => return Conclusion::Refused(refusal),
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
        next: &mut u64,
        report: &Report,
    ) -> Result<Seen, SshError> {
        let Fresh { stdin, stdout, connection, .. } =
            &mut Fresh::open(target, &self.probed.serve(&self.agent)).await?;
        let login = Login::parse(connection);
        let prefix = self.probed.root.stdin_prefix();
        let asked = async {
            let stdout: Box<dyn AsyncBufRead + Unpin + Send> = Box::new(stdout);
            let stdin: Box<dyn AsyncWrite + Unpin + Send> = Box::new(stdin);
            let mut watch: Watch<'_> = Conversation::begin(stdout, stdin, login, &prefix).await?;
            let attempt = self.attempt.clone();
            watch.ask(Request::Follow { attempt, from: *next }).await?;
            Ok(watch)
        };
        match asked.await {
            Ok(mut watch) => Ok(Box::pin(self.follow_and_confirm(&mut watch, next, report)).await),
            Err(error) => Ok(Seen::Lost(error)),
        }
    }

    /// The operator gives the attempt up: the machine is told, and followed on.
    async fn give_up(&self, report: &Report) {
        self.note(report, "interrupted: telling the machine to go back".to_owned());
        let request = Request::Cancel {
            attempt: self.attempt.clone(),
            why: "the operator interrupted".into(),
        };
        let told = async {
            let place = &self.probed.place;
            let running =
                place.spawn(&self.probed.serve(&self.agent)).await.map_err(|e| e.to_string())?;
            let prefix = self.probed.root.stdin_prefix();
            let login = self.probed.login.clone();
            let mut talk = Conversation::begin(running.stdout, running.stdin, login, &prefix)
                .await
                .map_err(|error| error.to_string())?;
            talk.ask(request).await.map_err(|error| error.to_string())
        };
        if let Err(error) = told.await {
            self.note(
                report,
                format!("it could not be told ({error}); it goes back at its deadline"),
            );
        }
    }

    fn note(&self, report: &Report, text: String) {
        report.tell(Event::Note { machine: self.probed.machine.name.clone(), text });
    }
}

/// Where the new system answers: at its own address if it moves.
fn confirming_targets(machine: &Machine) -> Vec<Target> {
    let mut ssh = machine.ssh.clone();
    if let Some(hostname) = &machine.confirm.hostname {
        ssh.hostname.clone_from(hostname);
        ssh.addresses.clear();
    }
    ssh.port = machine.confirm.port.or(ssh.port);
    ssh.host_key = machine.confirm.host_key.clone().or(ssh.host_key);
    Target::all_of(&ssh)
}

/// How long the machine may take at most for all that is left.
fn patience(machine: &Machine) -> Duration {
    let limits = &machine.timeouts;
    limits.activation() + limits.check() + machine.confirm.timeout() + limits.rollback()
}
