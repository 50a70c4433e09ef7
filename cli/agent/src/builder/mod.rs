//! A builder that sends what it built straight to this machine. It logs in with a one-time key that
//! the operator's login handed in, once and soon, and sends the paths of one list and nothing else.
//!
//! What is expected is kept in memory-backed files below `/run`, so that a restart forgets it. The
//! key's line is what sshd reads; it goes when the key is used, and when the operator's conversation
//! ends.

mod calendar;
mod fit;
mod keys;
mod list;

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use deploy_wire::{
    attempt::Login,
    builder_push::{self, BuilderPush},
    message::{Refusal, RefusalKind},
    record::Deadline,
};
use serde::{Deserialize, Serialize};

pub use self::list::{PathInfo, PushList};
use crate::{
    clock,
    storage::{files, lock::Lock, paths::BUILDERS},
    tools::sshd::Sshd,
    trust::origin,
};

/// How long a builder may take to log in. What it sends then may take longer.
const BEGINS_WITHIN: Duration = Duration::from_secs(120);

/// What is kept of a push until it begins, and while it goes on.
#[derive(Debug, Serialize, Deserialize)]
struct AwaitedPush {
    push: BuilderPush,
    /// When it is too late to begin, by the boot clock, whatever the wall clock says.
    until: Deadline,
}

/// A push that is accepted. When this is dropped, nothing more of it is: neither its key, nor what
/// is still to come over a login that has begun.
#[derive(Debug)]
pub struct Accepted {
    word: String,
    user: String,
    /// The host keys of this machine's sshd.
    pub host_keys: Vec<String>,
}

/// Lets a builder log in. `login` is the operator's.
///
/// # Errors
/// A refusal, where sshd does not read the agent's keys, or where the request is unfit.
pub fn accept(push: &BuilderPush, login: Option<&Login>) -> Result<Accepted, Refusal> {
    accept_or_why(push, login).map_err(|error| Refusal {
        kind: RefusalKind::NoBuilder,
        why: format!("{error:#}"),
        hint: None,
    })
}

fn accept_or_why(push: &BuilderPush, login: Option<&Login>) -> Result<Accepted> {
    fit::check(push)?;
    let listener = origin::listening_sshd().context("no sshd of root leads to this request")?;
    let sshd = Sshd::of(listener, &push.user, login)?;
    keys::are_read(&sshd)?;
    let command = keys::command(&push.as_root, &push.word)?;
    files::private_folder(Path::new(BUILDERS))?;
    let _locked = lock()?;
    let until = clock::deadline_in(BEGINS_WITHIN);
    let place = place(&push.word);
    ensure!(!place.exists() && !begun(&push.word).exists(), "this push is accepted already");
    files::write_json(&place, &AwaitedPush { push: push.clone(), until })?;
    let accepted = Accepted {
        word: push.word.clone(),
        user: push.user.clone(),
        host_keys: sshd.public_host_keys()?,
    };
    keys::add(&push.user, &push.key, &command, &push.word, BEGINS_WITHIN)?;
    Ok(accepted)
}

impl Drop for Accepted {
    fn drop(&mut self) {
        // Without the lock another push's key could come back with a file that is written meanwhile.
        let locked = lock();
        let removed = keys::remove(&self.user, &self.word);
        for file in [place(&self.word), begun(&self.word), stored(&self.word), held(&self.word)] {
            let _ = fs::remove_file(file);
        }
        drop(locked);
        if let Err(error) = removed {
            eprintln!("deploy-agent: {error:#}");
        }
    }
}

impl Accepted {
    /// Waits until what the builder sent is on the disk, which is said by the process that received
    /// it.
    ///
    /// # Errors
    /// When no process receives it any more.
    pub fn wait(&self) -> Result<()> {
        loop {
            // The receiving process takes the lock before it makes the file.
            ensure!(begun(&self.word).exists(), "the builder sent nothing");
            let is_over = Lock::try_take(&held(&self.word))?.is_some();
            if stored(&self.word).exists() {
                return Ok(());
            }
            ensure!(!is_over, "what the builder sent was not received to its end");
            thread::sleep(clock::TICK);
        }
    }
}

/// A push that has begun.
pub struct Delivery {
    word: String,
    /// The paths that may come.
    pub listed: PushList,
    _held: Lock,
}

/// Begins a push, which can begin once. Its key opens nothing any more.
///
/// # Errors
/// When no such push is expected, or when it is too late.
pub fn begin(word: &str) -> Result<Delivery> {
    ensure!(builder_push::is_word(word), "`{word}` is no word of a push");
    files::private_folder(Path::new(BUILDERS))?;
    let _locked = lock()?;
    let Some(expected) = files::read_json::<AwaitedPush>(&place(word))? else {
        bail!("no push of a builder is expected under this key, or it has begun before");
    };
    let held_lock = Lock::try_take(&held(word))?.context("it has begun before")?;
    fs::rename(place(word), begun(word)).context("it cannot be begun")?;
    keys::remove(&expected.push.user, word)?;
    ensure!(!clock::left(expected.until).is_zero(), "the builder came too late");
    let listed = PushList::new(&expected.push.paths);
    Ok(Delivery { word: word.to_owned(), listed, _held: held_lock })
}

impl Delivery {
    /// The word of the push.
    pub fn word(&self) -> &str {
        &self.word
    }

    /// Whether the operator's conversation still goes on.
    pub fn is_wanted(word: &str) -> bool {
        begun(word).exists()
    }

    /// Says that everything is on the disk.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn tell_stored(self) -> Result<()> {
        let Self { word, .. } = &self;
        if Self::is_wanted(word) { files::write_json(&stored(word), &true) } else { Ok(()) }
    }
}

fn lock() -> Result<Lock> {
    Lock::take(&Path::new(BUILDERS).join("lock"))
}

fn place(word: &str) -> PathBuf {
    Path::new(BUILDERS).join(word)
}

fn begun(word: &str) -> PathBuf {
    place(word).with_extension("begun")
}

fn stored(word: &str) -> PathBuf {
    place(word).with_extension("stored")
}

fn held(word: &str) -> PathBuf {
    place(word).with_extension("lock")
}
