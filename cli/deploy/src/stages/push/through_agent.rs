//! Nix's protocol to the machine's store, compressed, with the agent at the other end.
//!
//! Nix copies to a socket of ours as to a local daemon. What it sends goes to the agent, compressed
//! and, where the line is slow, without what the machine has; the agent hands it to the machine's
//! daemon. What the daemon answers comes back as it is.

mod bases;
mod line;
mod messages;
mod nix_stream;
mod own;
mod patience;
mod sender;

use std::{
    cell::{Cell, RefCell},
    io,
    path::Path,
    time::Duration,
};

use deploy_delta::{ANNOUNCED, ASKED, GREETING, answer};
use deploy_wire::machine::Compress;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use self::{
    bases::KnownBases, line::MachineLine, messages::Messages, nix_stream::NixStream, sender::Sender,
};
use crate::{
    report::Carried,
    stages::{ask::Probed, store::mark::Mark},
    tools::{
        cache::Cache, compress::Level, lease::Lease, limit::within, nix::RemoteStore,
        place::Running, private, shell,
    },
};

/// How long the answers of an agent that ended may take to arrive.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Whether a push may leave out what the machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paths {
    /// Where the line is slow.
    Delta,
    /// All paths are sent as they are.
    Whole,
}

/// A socket that stands for the machine's store.
pub struct Carrier {
    listener: UnixListener,
    folder: TempDir,
    level: Level,
    paths: Paths,
    on_the_wire: Cell<u64>,
    reused: Cell<u64>,
    /// Whether the line is slow, once that is known.
    is_slow: Cell<Option<bool>>,
    bases: KnownBases,
    damaged: RefCell<Option<String>>,
}

impl Carrier {
    /// Makes the socket. `None` where Nix could not name it, or where the stream is not to be
    /// compressed.
    pub fn new(compress: Compress, paths: Paths) -> io::Result<Option<Self>> {
        let level = match compress {
            Compress::Never => return Ok(None),
            Compress::Auto => Level::Auto,
            Compress::Level(level) => Level::Fixed(level.into()),
        };
        let folder = private::for_this_run()?;
        if !is_plain(folder.path()) {
            return Ok(None);
        }
        let listener = UnixListener::bind(socket(folder.path()))?;
        let (on_the_wire, reused, is_slow, bases, damaged) = Default::default();
        Ok(Some(Self {
            listener,
            folder,
            level,
            paths,
            on_the_wire,
            reused,
            is_slow,
            bases,
            damaged,
        }))
    }

    /// The store for Nix's commands.
    pub fn store(&self) -> RemoteStore {
        RemoteStore {
            url: format!("unix://{}", socket(self.folder.path()).display()),
            sshopts: String::new(),
            environment: Vec::new(),
        }
    }

    /// What was sent to the machine so far, and what it had.
    pub fn so_far(&self) -> Carried {
        Carried { on_the_wire: self.on_the_wire.get(), reused: self.reused.get() }
    }

    /// Which path of the machine is not what it was to be, and why, where that ended the push.
    pub fn damaged(&self) -> Option<String> {
        self.damaged.borrow().clone()
    }

    /// Starts `agent` on the machine and carries one connection to its end. The mark that the agent
    /// keeps is cleared when the returned one is. The error is what the agent, or sshd, said.
    pub async fn carry<'p>(
        &self,
        probed: &'p Probed,
        agent: &str,
        lease: &Lease,
    ) -> Result<Mark<'p>, String> {
        let started = probed.place.spawn(&script(probed, agent, lease)).await;
        let Running { mut stdout, mut stdin, rest } = started.map_err(|error| error.to_string())?;
        let lines = Cache::named("lines");
        let machine = &probed.facts.identity.machine_id;
        self.is_slow.set(lines.get(machine).as_ref().and_then(Value::as_bool));
        let carried = async {
            stdin.write_all(probed.root.stdin_prefix().as_bytes()).await?;
            let (nix, _) = self.listener.accept().await?;
            self.between(nix, &mut stdout, &mut stdin).await
        };
        let ended = carried.await;
        drop(stdin);
        // A push that was cut off goes on inside a path only over a line that is known to be slow.
        // Whether the machine waits for the line is what it said last. At the end of a push that left
        // much out it is busy with its copies, and the line is slow nevertheless.
        if let Some(is_slow) = self.is_slow.get() {
            let is_worth_it = self.reused.get() > 0 || self.bases.wait_for_the_line();
            lines.put(machine, &(is_slow && is_worth_it).into());
        }
        match ended {
            Ok(()) => Ok(Mark::kept_by_the_agent(stdout, rest)),
            // The error is that of a pipe whose other end is gone; the agent may have said more.
            Err(_) => {
                Err(rest.ended().await.err().map_or_else(String::new, |error| error.to_string()))
            }
        }
    }

    /// Carries both directions until Nix ends the connection. An agent that ends it first is an
    /// error.
    async fn between(
        &self,
        nix: UnixStream,
        from_agent: &mut (dyn AsyncBufRead + Unpin + Send),
        to_agent: &mut (dyn AsyncWrite + Unpin + Send),
    ) -> io::Result<()> {
        let (from_nix, mut to_nix) = nix.into_split();
        let line = MachineLine::new(self.level, to_agent, (&self.on_the_wire, &self.is_slow))?;
        let answered = self.answer(from_agent, &mut to_nix);
        tokio::pin!(answered);
        tokio::select! {
            sent = self.send(from_nix, line) => {
                if sent.is_err() {
                    // The agent may have said why before it ended: a base that is damaged.
                    let _ = within(LAST_WORDS, &mut answered).await;
                }
                sent
            }
            answered = &mut answered => answered.and(Err(io::ErrorKind::UnexpectedEof.into())),
        }
    }

    async fn send(&self, from: OwnedReadHalf, mut line: MachineLine<'_>) -> io::Result<()> {
        let mut nix = NixStream::new(from);
        if self.paths == Paths::Delta {
            line.raw(&ASKED).await?;
        }
        // Nix waits for the answer to its greeting, and the agent says before it what it knows.
        let mut greeting = 0;
        while greeting < GREETING {
            nix.fill(&mut line).await?;
            let piece = nix.take(GREETING - greeting);
            if piece.is_empty() {
                break;
            }
            greeting += piece.len();
            line.add(piece).await?;
        }
        line.flush().await?;
        while self.bases.delta().is_none() {
            self.bases.changed().await;
        }
        if self.bases.delta() == Some(true) {
            let messages = Messages::new(nix, line);
            return Sender::new(messages, &self.bases, &self.reused).run().await;
        }
        loop {
            nix.fill(&mut line).await?;
            let piece = nix.take(usize::MAX);
            if piece.is_empty() {
                return line.finish().await;
            }
            line.add(piece).await?;
        }
    }

    async fn answer(
        &self,
        from: &mut (dyn AsyncBufRead + Unpin + Send),
        to_nix: &mut OwnedWriteHalf,
    ) -> io::Result<()> {
        let mut first = [0; ANNOUNCED.len()];
        from.read_exact(&mut first).await?;
        self.bases.set_delta(first == ANNOUNCED);
        if first != ANNOUNCED {
            to_nix.write_all(&first).await?;
            return tokio::io::copy_buf(from, to_nix).await.map(drop);
        }
        loop {
            let length = from.read_u32_le().await?;
            if length > answer::MOST {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let mut bytes = vec![0; length as usize];
            from.read_exact(&mut bytes).await?;
            match answer::Answer::read(&bytes)? {
                answer::Answer::Daemon(said) => to_nix.write_all(&said).await?,
                answer::Answer::Damaged(why) => {
                    *self.damaged.borrow_mut() = Some(why);
                    return Ok(());
                }
                other => self.bases.take(other),
            }
        }
    }
}

fn socket(folder: &Path) -> std::path::PathBuf {
    folder.join("nix")
}

/// Whether the path means the same in the address of a store.
fn is_plain(path: &Path) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    path.as_os_str().as_encoded_bytes().iter().copied().all(plain)
}

/// The command that starts the agent as root, with the lease's word in its environment.
fn script(probed: &Probed, agent: &str, lease: &Lease) -> String {
    let serve = probed.leased(&format!("{} serve --stdio", shell::quote(agent)), lease);
    let serve = probed.root.wrap(&serve).unwrap_or(serve);
    format!("exec {serve}")
}

#[cfg(test)]
mod tests;
