//! A machine that reads each request and does not answer.

use std::time::Duration;

use tokio::{
    io::{BufReader, DuplexStream, duplex, sink},
    time::{Instant, timeout},
};

use super::*;
use crate::{
    report::{Format, shown},
    stages::ask::here::Here,
};

const A_DAY: Duration = Duration::from_secs(24 * 3600);

fn started(here: &Here) -> Started<'_> {
    Started {
        probed: &here.probed,
        attempt: here.record.attempt.clone(),
        agent: here.record.agent.to_string(),
        no_login: Mutex::default(),
        others: Box::leak(Box::default()),
    }
}

/// A conversation without replies, for as long as the other end is kept.
async fn silent() -> (Watch<'static>, DuplexStream) {
    let (ours, theirs) = duplex(64);
    let (reader, writer) = (Box::new(BufReader::new(ours)), Box::new(sink()));
    let watch: Watch<'_> = Conversation::begin(reader as _, writer as _, None, "").await.unwrap();
    (watch, theirs)
}

fn why(conclusion: &Conclusion) -> &str {
    let Conclusion::NotKnown(why) = conclusion else { panic!("{conclusion:?}") };
    why
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_machine_that_is_followed_and_says_nothing_is_given_up() {
    let here = Here::with_agent("exec sleep 1000").unwrap();
    let (report, written) = shown::report(Format::People);
    let mut interrupts = Interrupts::listen().unwrap();
    let (mut watch, _machine) = silent().await;
    let begun = Instant::now();
    let started = started(&here);
    let ends = started.conclude(&mut watch, None, &mut interrupts, &report);
    let conclusion = timeout(A_DAY, ends).await.expect("it is waited for without end");
    let limit = longest(&here.probed.machine, None).as_secs();
    let late = format!("it did not answer within {limit} s");
    assert_eq!(why(&conclusion), late);
    assert!(written().contains(&late), "{}", written());
    // Once over the existing connection, and once over new ones.
    assert_eq!(begun.elapsed().as_secs(), 2 * limit);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_machine_that_answers_a_login_and_says_nothing_is_given_up() {
    for phase in [None, Some(Phase::Waiting)] {
        let here = Here::with_agent("exec sleep 1000").unwrap();
        let (report, _) = shown::report(Format::People);
        let mut interrupts = Interrupts::listen().unwrap();
        let mut followed = Followed { phase, ..Followed::default() };
        let begun = Instant::now();
        let started = started(&here);
        let (wish, told) = (Wish::Confirm, GiveUpRequest::NotSent);
        let asked = started.ask_again(&mut followed, wish, told, &mut interrupts, &report);
        let conclusion = timeout(A_DAY, asked).await.expect("it is waited for without end");
        let limit = longest(&here.probed.machine, phase).as_secs();
        assert_eq!(why(&conclusion), format!("it did not answer within {limit} s"));
        assert_eq!(begun.elapsed().as_secs(), limit);
    }
}
