//! Reports a push that makes no progress, and the reason that the machine gives.

use std::{future::Future, time::Duration};

use tokio::{
    pin, select,
    sync::Notify,
    time::{sleep, timeout},
};

use crate::stages::ask::Probed;
use crate::{
    report::{Event, Holder, Report, Standstill},
    tools::{
        answer::Answer,
        lease::{self, Lease},
        shell,
    },
};

/// How long a push may make no progress before it is reported. Nix prints nothing while it waits
/// for the lock of a path: `a-push-that-waits-for-another-operators-says-so-and-goes-on` proves it.
const QUIET: Duration = Duration::from_secs(15);

/// How long the machine may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

const SCRIPT: &str = include_str!("stall.sh");

/// Waits for `push`, and reports it each time that it makes no progress. `moves` is notified of any
/// progress.
pub async fn watch_for_stalls<T>(
    push: impl Future<Output = T>,
    moves: &Notify,
    probed: &Probed,
    lease: &Lease,
    report: &Report,
) -> T {
    let tell = |why| {
        let machine = probed.machine.name.clone();
        report.tell(Event::Stalled { machine, seconds: QUIET.as_secs(), why });
    };
    watched(push, moves, || why(probed, lease), tell).await
}

/// Asks the machine and reports once.
async fn watched<T, A: Future<Output = Standstill>>(
    push: impl Future<Output = T>,
    moves: &Notify,
    ask: impl Fn() -> A,
    tell: impl FnOnce(Standstill),
) -> T {
    pin!(push);
    let why = loop {
        select! {
            biased;
            done = &mut push => return done,
            () = quiet(moves) => {}
        }
        select! {
            biased;
            done = &mut push => return done,
            () = moves.notified() => {}
            why = ask() => break why,
        }
    };
    tell(why);
    push.await
}

async fn quiet(moves: &Notify) {
    while timeout(QUIET, moves.notified()).await.is_ok() {}
}

async fn why(probed: &Probed, lease: &Lease) -> Standstill {
    let inner = format!(
        "WORD={}\n{SCRIPT}",
        shell::quote(&format!("{}={}", lease::VARIABLE, lease.word()))
    );
    let Ok(script) = probed.root.wrap(&format!("sh -c {}", shell::quote(&inner))) else {
        return Standstill::NotAllowed;
    };
    let stdin = probed.root.stdin_prefix();
    select! {
        said = probed.place.run(&script, &stdin) => {
            said.map_or(Standstill::NoAnswer, |said| read(&Answer::read(&said)))
        }
        () = sleep(ANSWER) => Standstill::NoAnswer,
    }
}

fn read(answer: &Answer) -> Standstill {
    let process = answer.word("holder").and_then(|word| word.parse().ok());
    let Some(process) = process else { return Standstill::NotKnown };
    Standstill::Lock(Holder {
        process,
        program: answer.word("program").unwrap_or("?").to_owned(),
        seconds: answer.word("seconds").and_then(|word| word.parse().ok()),
        from: answer.word("from").map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// The reports about a push that makes progress after each of these pauses, in seconds, and how
    /// often the machine is asked. The machine answers after `answers_in` seconds.
    async fn told_of(pauses: &[u64], answers_in: u64) -> (Vec<Standstill>, u32) {
        let (moves, asked, told) = (Notify::new(), Cell::new(0), Cell::new(Vec::new()));
        let push = async {
            for pause in pauses {
                sleep(Duration::from_secs(*pause)).await;
                moves.notify_one();
            }
        };
        let ask = || async {
            asked.set(asked.get() + 1);
            sleep(Duration::from_secs(answers_in)).await;
            Standstill::NotKnown
        };
        watched(push, &moves, ask, |why| told.set(vec![why])).await;
        (told.take(), asked.get())
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_standstill_is_told_once() {
        assert_eq!(told_of(&[14, 14, 14], 1).await, (vec![], 0));
        assert_eq!(told_of(&[14, 20, 100, 100], 1).await, (vec![Standstill::NotKnown], 1));
        // The push makes progress again while the machine is asked.
        assert_eq!(told_of(&[18, 1], 5).await, (vec![], 1));
        assert_eq!(told_of(&[18, 30], 5).await, (vec![Standstill::NotKnown], 2));
    }

    #[test]
    fn who_holds_the_lock_is_read() {
        let said = "@holder 42\n@program nix-daemon\n@seconds 180\n@from 10.0.0.5\n@looked\n";
        let holder = Holder {
            process: 42,
            program: "nix-daemon".into(),
            seconds: Some(180),
            from: Some("10.0.0.5".into()),
        };
        assert_eq!(read(&Answer::read(said)), Standstill::Lock(holder));
        assert_eq!(read(&Answer::read("@looked\n")), Standstill::NotKnown);
    }
}
