//! Pushes of chunks that are cut within each kind of their messages. What is on the machine in the end
//! is what was pushed, whole, or nothing of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, ensure};
use deploy_delta::answer::Answer;
use deploy_delta::token::Token;
use deploy_lab::hosts::{Host, Lab};
use deploy_lab::systems::{Fleet, Generation};

use super::delta::{built, far, is_whole, knows_that_it_is_slow, pushed};
use super::delta_between::{Act, Between, Message, SCRIPT};
use super::runs_generation;
use crate::harness::Scenario;
use crate::scene::{Said, Scene};

pub const ALL: &[Scenario] = &[Scenario::new(
    "a-push-that-is-cut-within-each-kind-of-message-leaves-nothing-wrong",
    cut_within,
)];

/// A machine with an older build of a program, and a push of the next one that this can watch.
pub struct Watched {
    pub scene: Scene,
    pub between: Between,
    /// The older build.
    pub base: String,
}

impl Watched {
    /// The operator's computer has no copy of the base, so that the machine makes its index.
    pub fn new(lab: &mut Lab) -> Result<Self> {
        let watched = Self::with_copy(lab)?;
        watched.scene.mac.sh(&format!("rm -r {}", watched.base))?;
        Ok(watched)
    }

    /// The operator's computer has the base too, and makes its index.
    pub fn with_copy(lab: &mut Lab) -> Result<Self> {
        let (scene, relay, base) = far(lab)?;
        scene.frame1.sh(&format!("{VALID} > /root/before"))?;
        let between = Between::new(&scene, relay)?;
        let watched = Self { scene, between, base };
        watched.wants(2)?;
        Ok(watched)
    }

    /// Has a system with the program of this salt, which is returned, and 1 MiB that resembles nothing.
    pub fn wants(&self, salt: u32) -> Result<String> {
        let program = built(&self.scene.mac, salt)?;
        let system = Generation::new("frame1", salt + 1).contents(vec![program.clone()]).ballast(1);
        self.scene.has(Fleet::of("frame1", system).node("frame1", "hostname", "frame1-far"))?;
        Ok(program)
    }

    /// Runs `deploy`, which knows that the line is slow.
    pub fn deploy(&self, words: &str) -> Result<Said> {
        knows_that_it_is_slow(&self.scene)?;
        self.scene.deploy(&format!("{words} --json --agent {SCRIPT} frame1"))
    }

    /// Deploys this generation to the end, with nothing in between.
    fn commits(&self, generation: u32) -> Result<Said> {
        self.between.set(|_| Act::Pass);
        let said = self.deploy("")?;
        said.ends(0, &["committed"])?;
        self.runs_whole(generation)?;
        Ok(said)
    }

    pub fn runs_whole(&self, generation: u32) -> Result<()> {
        runs_generation(&self.scene.frame1, generation)?;
        is_whole(&self.scene.frame1)?;
        is_right(&self.scene.frame1)
    }

    /// This path is on the machine, and it is what its registration says.
    pub fn is_there(&self, path: &str) -> Result<()> {
        self.scene.frame1.sh(&format!("nix-store --verify-path {path}"))?;
        is_right(&self.scene.frame1)
    }

    /// A push that is refused and changes nothing.
    fn is_refused(&self, parts: &[&str]) -> Result<()> {
        let said = self.deploy("push")?;
        let parts = [&["cannot push the system to frame1", "nothing was changed"], parts].concat();
        said.ends(1, &parts)?;
        runs_generation(&self.scene.frame1, 2)?;
        is_right(&self.scene.frame1)
    }
}

/// Lists the paths that Nix lists as valid.
const VALID: &str = "nix --extra-experimental-features nix-command path-info --all | sort";

/// Each path that came since the list of [`Watched::new`] is what its registration says.
fn is_right(machine: &Host) -> Result<()> {
    let script = format!("{VALID} | comm -13 /root/before - | xargs -r nix-store --verify-path");
    machine.sh(&script).map(drop)
}

/// A kind of message, and how it is told apart. The second argument is whether a path with a base
/// came before it.
type Kind = (&'static str, fn(&Message, bool) -> bool);

const IN_COPIES: Kind = ("a copy", |message, _| matches!(message, Message::Token(Token::Copy(_))));
const BASES: Kind =
    ("the bases", |message, _| matches!(message, Message::Answer(Answer::Bases(_))));
const DONE: Kind = ("the daemon's answer to the paths", |message, came| {
    came && matches!(message, Message::Answer(Answer::Daemon(_)))
});

const KINDS: [Kind; 12] = [
    ("the request", |message, _| matches!(message, Message::Asked)),
    ("the announcement", |message, _| matches!(message, Message::Announced)),
    ("the daemon's greeting", |message, _| matches!(message, Message::Answer(Answer::Daemon(_)))),
    ("what is wanted", |message, _| matches!(message, Message::Token(Token::Wanted(_)))),
    BASES,
    ("a question", |message, _| matches!(message, Message::Token(Token::Ask(_)))),
    ("an index", |message, _| matches!(message, Message::Answer(Answer::Index { .. }))),
    ("the protocol", |message, _| matches!(message, Message::Token(Token::Plain(_)))),
    ("a frame", |message, _| matches!(message, Message::Token(Token::Framed(_)))),
    ("a path", |message, _| matches!(message, Message::Token(Token::Path { .. }))),
    ("literal bytes", |message, _| matches!(message, Message::Token(Token::Text(_)))),
    IN_COPIES,
];

fn cut_within(lab: &mut Lab) -> Result<()> {
    let watched = Watched::new(lab)?;
    for kind in KINDS {
        cut(&watched, kind)?;
    }
    cut(
        &watched,
        ("the share of waiting", |message, _| {
            matches!(message, Message::Answer(Answer::Waited(_)))
        }),
    )?;
    // The path may have come whole before that, and has after this.
    watched.wants(3)?;
    cut(&watched, DONE)?;
    watched.wants(4)?;
    // The base has another size than its registration says.
    let Watched { scene, base, .. } = &watched;
    scene.frame1.sh(&format!("truncate -s -100 {base}/data"))?;
    let no_index = |message: &Message, _| matches!(message, Message::Answer(Answer::NoIndex(_)));
    cut(&watched, ("no index", no_index))?;
    let pushed = pushed(&watched.commits(5)?)?;
    ensure!(pushed.reused == 0, "{pushed:?}");
    Ok(())
}

/// Cuts a push within the first message of a kind.
fn cut(watched: &Watched, (name, is_it): Kind) -> Result<()> {
    let done = Arc::new(AtomicBool::new(false));
    let (with, mut came) = (Arc::clone(&done), false);
    watched.between.set(move |message| {
        if is_it(message, came) && !with.swap(true, Ordering::Relaxed) {
            return Act::Cut;
        }
        came |= matches!(message, Message::Token(Token::Path { .. }));
        Act::Pass
    });
    println!("cut within {name}");
    watched.is_refused(&[])?;
    ensure!(done.load(Ordering::Relaxed), "there was no such message: {name}");
    Ok(())
}
