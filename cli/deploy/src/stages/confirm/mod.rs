//! The confirmation over a new login, and the truth about how the attempt
//! ended, asked for again where a connection was lost.

mod again;
pub mod interrupted;
mod login;

pub use again::{longest, patience};

use std::{sync::Mutex, time::Duration};

use tokio::time::{Instant, sleep_until};

use deploy_wire::{
    attempt::AttemptId,
    message::{Refusal, RefusalKind, Request},
    outcome::Outcome,
    phase::Phase,
};

use self::interrupted::{AGAIN, Confirmation, GiveUpRequest, Left};
use super::{
    activate::{Followed, Seen, Watch, follow},
    ask::Probed,
};
use crate::{
    report::{Event, Report},
    tools::{
        agent::{AgentError, Conversation},
        limit::Late,
        place::Rest,
        terminal::{Interrupt, Interrupts},
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
    /// Why the last new login confirmed nothing: what the machine cannot know.
    pub no_login: Mutex<Option<String>>,
}

/// What the operator wants of an attempt that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// That it is confirmed and stays.
    Confirm,
    /// That the machine goes back. `ctrl-c-while-it-is-confirmed-goes-back`
    /// proves that nothing confirms it any more.
    GiveUp(Interrupt),
}

/// What is known of the end.
#[derive(Debug)]
pub enum Conclusion {
    /// The agent told it.
    Known(Box<Outcome>),
    /// The agent did not begin: nothing was switched.
    Refused(Refusal),
    /// Nobody followed it to its end.
    Left(Left),
    /// The agent could not be asked until all its deadlines were over: why.
    NotKnown(String),
}

/// Pauses between tries. sshd's penalties and fail2ban count tries, so each is a
/// full login and there are few.
const PAUSES: [u64; 4] = [1, 2, 4, 8];

/// The pauses, one after the other.
pub fn pauses() -> impl Iterator<Item = Duration> {
    let last = PAUSES[PAUSES.len() - 1];
    PAUSES.into_iter().chain(std::iter::repeat(last)).map(Duration::from_secs)
}

impl Started<'_> {
    /// Lets the attempt run, unless an `interrupt` came while the machine was taken, follows it to its end, confirms it when it waits, and gives it up
    /// when the operator interrupts: without a switch where that was before it, which
    /// `ctrl-c-while-the-machine-is-taken-switches-nothing` proves.
    pub async fn conclude(
        &self,
        watch: &mut Watch<'_>,
        interrupt: Option<Interrupt>,
        interrupts: &mut Interrupts,
        report: &Report,
    ) -> Conclusion {
        let mut followed = Followed::default();
        let mut wish = Wish::Confirm;
        // A conversation that is dropped takes its request with it.
        let mut cancelling = Vec::new();
        let mut told = GiveUpRequest::NotSent;
        let interrupt = match interrupt {
            None => interrupts.pending().await,
            came => came,
        };
        let first = match interrupt {
            Some(interrupt) => {
                (wish, told) = (Wish::GiveUp(interrupt), GiveUpRequest::Sent);
                self.note(report, interrupted::first(None));
                self.cancel(interrupt)
            }
            None => Request::Start { attempt: self.attempt.clone() },
        };
        if let Err(error) = watch.ask(first).await {
            self.lost(report, &error);
            return self.ask_again(&mut followed, wish, told, interrupts, report).await;
        }
        // Proved by `a_machine_that_is_followed_and_says_nothing_is_given_up`.
        let longest = again::longest(&self.probed.machine, None);
        let until = Instant::now() + longest;
        loop {
            let seen = tokio::select! {
                biased;
                interrupt = interrupts.next() => {
                    if wish != Wish::Confirm {
                        return conclude_left(AGAIN, &followed, told);
                    }
                    wish = Wish::GiveUp(interrupt);
                    self.note(report, interrupted::first(followed.phase));
                    if !interrupted::can_be_given_up(followed.phase) {
                        continue;
                    }
                    // Over a connection that is dead this takes as long as ssh takes to see it.
                    let given_up = tokio::select! {
                        biased;
                        _ = interrupts.next() => return conclude_left(AGAIN, &followed, told),
                        given_up = self.give_up(interrupt, report) => given_up,
                    };
                    if let Some(conversation) = given_up {
                        cancelling.push(conversation);
                        told = GiveUpRequest::Sent;
                    }
                    continue;
                }
                seen = self.see_through(watch, wish, &mut followed, report) => seen,
                () = sleep_until(until) => Seen::Lost(Late(longest).into()),
            };
            return match seen {
                Seen::Ended(outcome) => Conclusion::Known(outcome),
                Seen::Refused(refusal) if is_passing(&refusal) && is_switching(&followed) => {
                    self.note(report, describe_failed_answer(&refusal));
                    self.ask_again(&mut followed, wish, told, interrupts, report).await
                }
                Seen::Refused(refusal) => conclude_refused(refusal, &followed, told),
                Seen::Waiting => continue,
                Seen::Lost(error) => {
                    self.lost(report, &error);
                    self.ask_again(&mut followed, wish, told, interrupts, report).await
                }
            };
        }
    }

    /// Follows on, and confirms beside that once it is asked for and wished.
    async fn see_through(
        &self,
        watch: &mut Watch<'_>,
        wish: Wish,
        followed: &mut Followed,
        report: &Report,
    ) -> Seen {
        let name = &self.probed.machine.name;
        if wish != Wish::Confirm || followed.phase != Some(Phase::Waiting) {
            match follow(watch, name, followed, report).await {
                Seen::Waiting if wish == Wish::Confirm => {}
                other => return other,
            }
        }
        let on = async {
            loop {
                match follow(watch, name, followed, report).await {
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

    /// The operator gives the attempt up: the machine is told over the login
    /// that is there, and followed on. The conversation that told it has to last
    /// until the machine has gone back.
    async fn give_up(
        &self,
        interrupt: Interrupt,
        report: &Report,
    ) -> Option<(Watch<'_>, Rest<'_>)> {
        let told = async {
            let script = self.probed.serve(&self.agent);
            let running =
                self.probed.place.spawn(&script).await.map_err(|error| error.to_string())?;
            let prefix = self.probed.root.stdin_prefix();
            let login = self.probed.login.clone();
            let mut talk = Conversation::begin(running.stdout, running.stdin, login, &prefix)
                .await
                .map_err(|error| error.to_string())?;
            talk.ask(self.cancel(interrupt)).await.map_err(|error| error.to_string())?;
            Ok::<_, String>((talk, running.rest))
        };
        match told.await {
            Ok(conversation) => Some(conversation),
            Err(error) => {
                let confirmation = Confirmation::of(&self.probed.machine.confirm);
                self.note(report, interrupted::not_told(&error, confirmation));
                None
            }
        }
    }

    fn cancel(&self, interrupt: Interrupt) -> Request {
        Request::Cancel { attempt: self.attempt.clone(), why: interrupt.to_string() }
    }

    /// Of a computer that was asleep, and of a network that was gone.
    fn lost(&self, report: &Report, error: &AgentError) {
        self.note(
            report,
            match self.probed.place.login() {
                Some(_) => lost(error),
                None => format!("{error}; asking another agent what happened meanwhile"),
            },
        );
    }

    fn note(&self, report: &Report, text: String) {
        report.tell(Event::Note { machine: self.probed.machine.name.clone(), text });
    }
}

/// What is said when the connection is gone; what happened meanwhile is told behind it.
pub fn lost(error: &AgentError) -> String {
    format!("{error}; asking over a new login what happened meanwhile")
}

fn conclude_left(why: &str, followed: &Followed, told: GiveUpRequest) -> Conclusion {
    Conclusion::Left(Left { why: why.to_owned(), phase: followed.phase, told })
}

/// Once something happened there, a refusal is no answer to whether anything was changed.
fn conclude_refused(refusal: Refusal, followed: &Followed, told: GiveUpRequest) -> Conclusion {
    match is_switching(followed) {
        false => Conclusion::Refused(refusal),
        true => conclude_left(&refusal.why, followed, told),
    }
}

fn is_switching(followed: &Followed) -> bool {
    !matches!(followed.phase, None | Some(Phase::Staged | Phase::Arming))
}

/// Whether the machine only could not answer in this moment, as where PID 1 is too busy, and
/// nobody has to do anything about it: `a-confirmation-that-could-not-be-taken-is-tried-again`
/// and `an-agent-that-could-not-answer-is-asked-again` prove that it is asked again.
fn is_passing(refusal: &Refusal) -> bool {
    refusal.kind == RefusalKind::Failed
}

fn describe_failed_answer(refusal: &Refusal) -> String {
    format!("the agent could not answer: {}; asking again", refusal.why)
}

#[cfg(test)]
mod tests {
    mod silent;

    use super::*;

    #[test]
    fn whether_a_refusal_passes_is_its_kind_and_not_its_words() {
        use RefusalKind::{Busy, Damaged, Failed, NoSuchAttempt, NotNow, SameLogin, Unreadable};
        for hint in [None, Some("do this".to_owned())] {
            let of = |kind| is_passing(&Refusal { kind, why: "why".into(), hint: hint.clone() });
            assert!(of(Failed), "{hint:?}");
            for kind in [Busy, Damaged, NoSuchAttempt, NotNow, SameLogin, Unreadable] {
                assert!(!of(kind), "{kind:?} {hint:?}");
            }
        }
    }
}
