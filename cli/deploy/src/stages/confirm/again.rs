//! Asks over new logins how an attempt ended whose connection was lost.

use std::time::Duration;

use deploy_wire::{
    attempt::Login, machine::Machine, message::Request, phase::Phase, record::Rules,
};
use tokio::{
    io::{AsyncBufRead, AsyncWrite},
    time::Instant,
};

use super::{
    Conclusion, GiveUpRequest, Started, Wish, conclude_left, describe_failed_answer, is_passing,
    pauses,
};
use crate::{
    report::Report,
    stages::{
        activate::{Followed, Seen, Watch},
        confirm::interrupted::WHILE_LOST,
    },
    tools::{
        agent::Conversation,
        limit::{ANSWER, within},
        place::Running,
        ssh::{SshError, Target},
        terminal::Interrupts,
    },
};

impl Started<'_> {
    /// Asks over new logins until the machine must have ended the attempt, with the rollback and
    /// all its deadlines, or until the operator interrupts.
    pub(super) async fn ask_again(
        &self,
        followed: &mut Followed,
        wish: Wish,
        told: GiveUpRequest,
        interrupts: &mut Interrupts,
        report: &Report,
    ) -> Conclusion {
        // A machine that accepts each login and then does not answer gets no more time than an
        // unreachable one: `a_machine_that_answers_a_login_and_says_nothing_is_given_up`.
        let limit = longest(&self.probed.machine, followed.phase);
        let asked = tokio::select! {
            biased;
            _ = interrupts.next() => None,
            asked = within(limit, self.ask_until_told(followed, wish, told, report)) => Some(asked),
        };
        match asked {
            None => conclude_left(WHILE_LOST, followed, told),
            Some(asked) => asked.unwrap_or_else(|late| Conclusion::NotKnown(late.to_string())),
        }
    }

    async fn ask_until_told(
        &self,
        followed: &mut Followed,
        wish: Wish,
        told: GiveUpRequest,
        report: &Report,
    ) -> Conclusion {
        let machine = &self.probed.machine;
        let until = Instant::now() + patience(machine, followed.phase);
        let targets = self.asked_targets();
        let mut last = "no address was tried".to_owned();
        for pause in pauses() {
            for target in &targets {
                match self.follow_at(target.as_ref(), wish, followed, report).await {
                    Ok(Seen::Ended(outcome)) => return Conclusion::Known(outcome),
                    Ok(Seen::Refused(refusal)) if is_passing(&refusal) => {
                        self.note(report, describe_failed_answer(&refusal));
                        last = refusal.why;
                    }
                    Ok(Seen::Refused(refusal)) => {
                        return conclude_left(&refusal.why, followed, told);
                    }
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

    /// The addresses to ask at; `None` means this computer, without a login.
    fn asked_targets(&self) -> Vec<Option<Target>> {
        if self.probed.place.login().is_none() {
            return vec![None];
        }
        let before = Target::all_of(&self.probed.machine.ssh, &self.probed.options);
        each_once(self.confirming_targets(), before).into_iter().map(Some).collect()
    }

    async fn follow_at(
        &self,
        target: Option<&Target>,
        wish: Wish,
        followed: &mut Followed,
        report: &Report,
    ) -> Result<Seen, SshError> {
        let Some(target) = target else {
            let agent = self.probed.place.spawn(&self.probed.serve(&self.agent)).await?;
            let Running { stdout, stdin, rest: _rest } = agent;
            return Ok(self.follow_on(stdout, stdin, None, wish, followed, report).await);
        };
        let mut fresh = self.log_in(target, report).await?;
        let login = Login::parse(&fresh.connection);
        let (stdout, stdin) = (Box::new(&mut fresh.stdout), Box::new(&mut fresh.stdin));
        Ok(self.follow_on(stdout, stdin, login, wish, followed, report).await)
    }

    async fn follow_on(
        &self,
        stdout: Box<dyn AsyncBufRead + Unpin + Send + '_>,
        stdin: Box<dyn AsyncWrite + Unpin + Send + '_>,
        login: Option<Login>,
        wish: Wish,
        followed: &mut Followed,
        report: &Report,
    ) -> Seen {
        let prefix = self.probed.root.stdin_prefix();
        let asked = async {
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
            Ok(mut watch) => Box::pin(self.see_through(&mut watch, wish, followed, report)).await,
            Err(error) => Seen::Lost(error),
        }
    }
}

/// The addresses in order, without repetitions. A login to a dead address takes time, and sshd
/// counts failed logins.
fn each_once(first: Vec<Target>, then: Vec<Target>) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for target in first.into_iter().chain(then) {
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    targets
}

/// How long to follow a machine that has reported no end. All its deadlines are over by then, with
/// the rollback and the time to answer.
pub fn longest(machine: &Machine, phase: Option<Phase>) -> Duration {
    patience(machine, phase) + ANSWER
}

/// The longest time that the machine needs for everything after `phase`, the last phase that it
/// reported. `None` means that it reported none.
pub fn patience(machine: &Machine, phase: Option<Phase>) -> Duration {
    let rules = Rules {
        confirm: machine.confirm.clone(),
        timeouts: machine.timeouts.clone(),
        rollback: machine.rollback.clone(),
        ..Rules::default()
    };
    // Profiles are activated again after the system was rolled back.
    let profiles = match machine.other_profiles().is_empty() {
        true => Duration::ZERO,
        false => machine.timeouts.rollback(),
    };
    rules.longest(phase.unwrap_or(Phase::Staged)) + profiles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::ssh::Options;

    #[test]
    fn each_address_is_asked_once_in_a_round() {
        let target = |hostname: &str, port| Target {
            hostname: hostname.into(),
            user: None,
            port,
            options: Options::default(),
            host_key: None,
        };
        let (lan, tailnet) = (target("lan", None), target("tailnet", None));
        let both = vec![lan.clone(), tailnet.clone()];
        assert_eq!(each_once(vec![tailnet.clone(), lan.clone()], both.clone()), [tailnet, lan]);
        // A new system that answers at another port may have rolled back.
        let moved = target("lan", Some(2222));
        assert_eq!(each_once(vec![moved.clone()], both.clone()), [vec![moved], both].concat());
    }
}
