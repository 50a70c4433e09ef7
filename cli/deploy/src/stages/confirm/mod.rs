//! Confirms an attempt over a new login, and asks how it ended when a connection was lost.

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
        pause::Pause,
        place::Rest,
        terminal::{Interrupt, Interrupts},
    },
};

/// A started attempt.
pub struct Started<'run> {
    /// The machine and its login.
    pub probed: &'run Probed,
    /// The attempt's id.
    pub attempt: AttemptId,
    /// The agent's store path.
    pub agent: String,
    /// Why the last new login did not confirm, which the machine cannot know.
    pub no_login: Mutex<Option<String>>,
    /// What goes on beside it.
    pub others: &'run Pause,
}

/// What the operator wants to happen to a running attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// Confirm and keep the system.
    Confirm,
    /// Roll back. `ctrl-c-while-it-is-confirmed-goes-back` proves that nothing confirms the attempt
    /// any more.
    GiveUp(Interrupt),
}

/// What is known of the end.
#[derive(Debug)]
pub enum Conclusion {
    /// The agent reported the outcome.
    Known(Box<Outcome>),
    /// The agent did not begin, and nothing was switched.
    Refused(Refusal),
    /// The attempt was not followed to its end.
    Left(Left),
    /// The agent could not be asked until all deadlines were over. The text says why.
    NotKnown(String),
}

/// The pauses between tries. sshd's penalties and fail2ban count each login, so there are few
/// tries.
const PAUSES: [u64; 4] = [1, 2, 4, 8];

/// The pauses one after the other; the last one repeats.
pub fn pauses() -> impl Iterator<Item = Duration> {
    let last = PAUSES[PAUSES.len() - 1];
    PAUSES.into_iter().chain(std::iter::repeat(last)).map(Duration::from_secs)
}

impl Started<'_> {
    /// Starts the attempt unless an `interrupt` came while the agent was taking the machine,
    /// follows it to its end, confirms it when it waits, and gives it up when the operator
    /// interrupts. An interrupt before the switch prevents the switch:
    /// `ctrl-c-while-the-machine-is-taken-switches-nothing` proves it.
    pub async fn conclude(
        &self,
        watch: &mut Watch<'_>,
        interrupt: Option<Interrupt>,
        interrupts: &mut Interrupts,
        report: &Report,
    ) -> Conclusion {
        let mut followed = Followed::default();
        let mut wish = Wish::Confirm;
        // Dropping a conversation would drop its request as well.
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
        // `a_machine_that_is_followed_and_says_nothing_is_given_up` proves this limit.
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
                    // Over a dead connection, this takes until ssh notices.
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

    /// Follows the attempt, and confirms it meanwhile once that is due and the operator wants it.
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
                // Nothing is left to try: the machine rolls back and reports that.
                None => on.await,
            },
        }
    }

    /// Gives the attempt up: tells the machine over the existing login, and follows the attempt.
    /// The conversation that told it must last until the machine has rolled back.
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

    /// The connection was lost because the computer slept or the network failed.
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

/// The note that the connection is lost. The events of the meantime follow it.
pub fn lost(error: &AgentError) -> String {
    format!("{error}; asking over a new login what happened meanwhile")
}

fn conclude_left(why: &str, followed: &Followed, told: GiveUpRequest) -> Conclusion {
    Conclusion::Left(Left { why: why.to_owned(), phase: followed.phase, told })
}

/// After the switch began, a refusal does not answer whether something was changed.
fn conclude_refused(refusal: Refusal, followed: &Followed, told: GiveUpRequest) -> Conclusion {
    match is_switching(followed) {
        false => Conclusion::Refused(refusal),
        true => conclude_left(&refusal.why, followed, told),
    }
}

fn is_switching(followed: &Followed) -> bool {
    !matches!(followed.phase, None | Some(Phase::Staged | Phase::Arming))
}

/// Whether the refusal is temporary: the machine could not answer at that moment, for example
/// because PID 1 was busy. `a-confirmation-that-could-not-be-taken-is-tried-again` and
/// `an-agent-that-could-not-answer-is-asked-again` prove that `deploy` asks again.
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
