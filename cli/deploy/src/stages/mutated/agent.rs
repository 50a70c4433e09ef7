//! The operator's conversation with the agent, from the request to take the machine to the end.

use deploy_wire::message::{Reply, Request};
use tokio::io::{AsyncBufRead, AsyncWrite, BufReader};

use crate::{
    report::{Format, shown},
    stages::activate::{Followed, Seen, Watch, follow},
    tools::{
        agent::{AgentError, Conversation},
        damage::{Random, damage, is_harmless},
        printable::Printable,
    },
};

/// A conversation of an agent, one line for each reply.
const REPLIES: [&str; 10] = [
    include_str!("../../../../wire/golden/message/reply-staged.json"),
    include_str!("../../../../wire/golden/message/reply-event-phase.json"),
    include_str!("../../../../wire/golden/message/reply-event-switched.json"),
    include_str!("../../../../wire/golden/message/reply-event-line.json"),
    include_str!("../../../../wire/golden/message/reply-event-check.json"),
    include_str!("../../../../wire/golden/message/reply-event-broken-unit.json"),
    include_str!("../../../../wire/golden/message/reply-event-note.json"),
    include_str!("../../../../wire/golden/message/reply-ended.json"),
    include_str!("../../../../wire/golden/message/reply-refused.json"),
    include_str!("../../../../wire/golden/message/reply-status.json"),
];

/// The replies, in order or shuffled, and damaged.
fn spoken(random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    let in_order = random.below(2) == 0;
    for ordered in &REPLIES[..8] {
        let reply = if in_order { ordered } else { random.one_of(&REPLIES) };
        // The golden file has a phase in which nobody has to act.
        let reply = reply.replace("rollingBack", random.one_of(&["rollingBack", "waiting"]));
        bytes.extend(reply.trim().replace('\n', " ").into_bytes());
        bytes.push(b'\n');
    }
    damage(random, &mut bytes);
    bytes
}

pub async fn conversations(times: u64) {
    let mut random = Random::new();
    let mut ends = [0; 4];
    for round in 0..times {
        let format = random.one_of(&[Format::People, Format::Json]);
        let (report, written) = shown::report(format);
        let bytes = spoken(&mut random);
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
        // The input may arrive one byte at a time.
        let reader = BufReader::with_capacity(1 + random.below(64), std::io::Cursor::new(bytes));
        let reader: Box<dyn AsyncBufRead + Unpin + Send> = Box::new(reader);
        let sink: Box<dyn AsyncWrite + Unpin + Send> = Box::new(tokio::io::sink());
        let mut watch: Watch<'_> = Conversation::begin(reader, sink, None, "").await.unwrap();
        watch.ask(Request::Status).await.unwrap();
        let said = match watch.next().await {
            Ok(Reply::Staged { .. }) => {
                follow_to_the_end(&mut watch, lines, &report, &mut ends).await
            }
            Ok(other) => Some(format!("{other:?}")),
            Err(error) => Some(error.to_string()),
        };
        if let Some(said) = said {
            report.note("frame1", said);
        }
        let shown = written();
        assert!(is_harmless(&shown), "{round}: {shown:?}");
        if format == Format::Json {
            shown
                .lines()
                .for_each(|line| drop(serde_json::from_str::<serde_json::Value>(line).unwrap()));
        }
    }
    assert!(ends.iter().all(|end| *end > times / 1000), "{ends:?}");
}

/// Follows a conversation and counts how it stops: waiting, ended, refused or lost. Returns the
/// text of an error.
async fn follow_to_the_end(
    watch: &mut Watch<'_>,
    lines: usize,
    report: &crate::report::Report,
    ends: &mut [u64; 4],
) -> Option<String> {
    let mut followed = Followed::default();
    for _ in 0..=lines {
        let (kind, said) = match follow(watch, "frame1", &mut followed, report).await {
            Seen::Waiting => {
                ends[0] += 1;
                continue;
            }
            Seen::Ended(outcome) => (1, outcome.why.clone()),
            Seen::Refused(refusal) => (2, Some(refusal.why)),
            Seen::Lost(error) => {
                let told = Printable::line(&error.to_string());
                assert!(is_harmless(told.as_str()), "{told}");
                (3, (!matches!(error, AgentError::Ended)).then(|| error.to_string()))
            }
        };
        ends[kind] += 1;
        return said;
    }
    panic!("it goes on beyond its {lines} lines");
}
