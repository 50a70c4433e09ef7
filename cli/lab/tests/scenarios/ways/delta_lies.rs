//! Pushes to a machine whose answers about its paths are false, or are not true any more. `deploy`
//! pushes whole paths, and nothing wrong is on the machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use deploy_delta::answer::{Answer, Base};
use deploy_delta::index::ENTRY;
use deploy_delta::token::Token;
use deploy_lab::hosts::Lab;
use deploy_wire::store_path::StorePath;

use super::delta::pushed;
use super::delta_between::{Act, Message};
use super::delta_messages::Watched;
use crate::harness::Scenario;

pub const ALL: &[Scenario] = &[
    Scenario::new("a-base-that-changes-before-it-is-copied-makes-a-push-of-whole-paths", changed),
    Scenario::new("an-index-that-lies-makes-a-push-of-whole-paths", of_another_path),
    Scenario::new("no-lie-about-a-base-makes-a-wrong-path", bases),
    Scenario::new("no-lie-about-an-index-makes-a-wrong-path", indexes),
    Scenario::new("an-agent-that-knows-no-delta-gets-whole-paths", plain),
];

/// The base changes between the answer that names its chunks and the first copy from it.
fn changed(lab: &mut Lab) -> Result<()> {
    let watched = Watched::new(lab)?;
    let (machine, file) = (watched.scene.frame1.clone(), format!("{}/data", watched.base));
    let done = Arc::new(AtomicBool::new(false));
    let with = Arc::clone(&done);
    watched.between.set(move |message| {
        if matches!(message, Message::Token(Token::Path { .. })) {
            let flip = "printf X | dd conv=notrunc bs=1 seek=6000000 status=none of=";
            with.store(machine.sh(&format!("{flip}{file}")).is_ok(), Ordering::Relaxed);
        }
        Act::Pass
    });
    let said = watched.deploy("")?;
    ensure!(done.load(Ordering::Relaxed), "the base was not changed");
    let note = format!("the push begins again with whole paths: {}: ", watched.base);
    said.ends(0, &["committed", &note])?;
    watched.runs_whole(3)
}

/// The answer names a path that this computer has, with its true hash, as what the machine has: all
/// copies are of other contents.
fn of_another_path(lab: &mut Lab) -> Result<()> {
    let watched = Watched::with_copy(lab)?;
    let (here, damaged) = ("/root/other-program", "the push begins again with whole paths: ");
    let add = format!(
        "cp -r {} {here}; chmod -R u+w {here}; (printf X; cat {here}/data) > /root/data; \
         mv /root/data {here}/data; nix-store --dump-db $(nix-store --add {here})",
        watched.base
    );
    let registered = watched.scene.mac.sh(&add)?;
    let lines: Vec<&str> = registered.lines().collect();
    let [path, hash, length, ..] = lines[..] else { anyhow::bail!("{registered}") };
    let mut named = Base {
        number: 0,
        path: StorePath::parse(path)?,
        references: Vec::new(),
        hash: [0; 32],
        length: length.parse()?,
    };
    for (at, byte) in named.hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hash[2 * at..2 * at + 2], 16)?;
    }
    let done = lie(&watched, move |answer| {
        other(answer, |base| *base = Base { number: base.number, ..named.clone() })
    });
    let said = watched.deploy("")?;
    ensure!(done.load(Ordering::Relaxed), "there was no such answer");
    said.ends(0, &["committed", damaged])?;
    watched.runs_whole(3)
}

/// Makes a false answer of a true one; `None` for an answer of another kind.
type Lie = (&'static str, fn(&Answer) -> Option<Answer>);

fn other(answer: &Answer, how: impl Fn(&mut Base)) -> Option<Answer> {
    let Answer::Bases(bases) = answer else { return None };
    let mut bases = bases.clone();
    bases.iter_mut().for_each(how);
    Some(Answer::Bases(bases))
}

fn other_index(answer: &Answer, how: impl Fn(&mut Vec<u8>)) -> Option<Answer> {
    let Answer::Index { number, part, last } = answer else { return None };
    let mut part = part.clone();
    how(&mut part);
    Some(Answer::Index { number: *number, part, last: *last })
}

fn bases(lab: &mut Lab) -> Result<()> {
    const LIES: [Lie; 5] = [
        ("another hash", |answer| other(answer, |base| base.hash[0] ^= 1)),
        ("another length", |answer| other(answer, |base| base.length += 8)),
        ("another size of chunks", |answer| other(answer, |base| base.length = 1 << 30)),
        ("no references", |answer| other(answer, |base| base.references.clear())),
        ("the base of no path", |answer| other(answer, |base| base.number += 1000)),
    ];
    all(&Watched::with_copy(lab)?, &LIES)
}

fn indexes(lab: &mut Lab) -> Result<()> {
    const LIES: [Lie; 6] = [
        ("chunks in another order", |answer| {
            other_index(answer, |part| (0..8).for_each(|at| part.swap(at, at + ENTRY)))
        }),
        ("chunks of another length", |answer| other_index(answer, |part| part[8] ^= 1)),
        ("chunks that are not there", |answer| {
            other_index(answer, |part| part.extend_from_within(..10 * ENTRY))
        }),
        ("half an entry", |answer| other_index(answer, |part| part.truncate(part.len() - 3))),
        ("no chunk", |answer| other_index(answer, Vec::clear)),
        ("the index of another path", |answer| {
            let Answer::Index { number, part, last } = answer.clone() else { return None };
            Some(Answer::Index { number: number + 1000, part, last })
        }),
    ];
    all(&Watched::new(lab)?, &LIES)
}

/// Pushes a path of its own with each lie.
fn all(watched: &Watched, lies: &[Lie]) -> Result<()> {
    for (salt, (name, how)) in (3..).zip(lies.iter().copied()) {
        println!("a lie: {name}");
        let program = watched.wants(salt)?;
        let done = lie(watched, how);
        let said = watched.deploy("push")?;
        ensure!(done.load(Ordering::Relaxed), "there was no such answer: {name}");
        said.ends(0, &[]).with_context(|| format!("a lie: {name}"))?;
        let reused = pushed(&said)?.reused;
        println!("{reused} bytes were reused");
        watched.is_there(&program)?;
    }
    Ok(())
}

/// Puts a lie in the place of each answer that it is made of.
fn lie(
    watched: &Watched,
    how: impl Fn(&Answer) -> Option<Answer> + Send + 'static,
) -> Arc<AtomicBool> {
    let done = Arc::new(AtomicBool::new(false));
    let with = Arc::clone(&done);
    watched.between.set(move |message| {
        let Message::Answer(answer) = message else { return Act::Pass };
        let Some(lie) = how(answer) else { return Act::Pass };
        with.store(true, Ordering::Relaxed);
        Act::Instead(lie.to_bytes())
    });
    done
}

/// The request does not reach the agent, which then does what an agent does that knows none: it
/// speaks Nix's protocol. To the agent, `deploy` is one that knows no delta.
fn plain(lab: &mut Lab) -> Result<()> {
    let watched = Watched::new(lab)?;
    let done = Arc::new(AtomicBool::new(false));
    let with = Arc::clone(&done);
    watched.between.set(move |message| match message {
        Message::Asked => Act::Instead(Vec::new()),
        _ => {
            with.store(true, Ordering::Relaxed);
            Act::Pass
        }
    });
    let said = watched.deploy("")?;
    said.ends(0, &["committed"])?;
    ensure!(!done.load(Ordering::Relaxed), "there were messages of the delta");
    let pushed = pushed(&said)?;
    ensure!(pushed.reused == 0 && pushed.sent > 6_000_000, "{pushed:?}");
    watched.runs_whole(3)
}
