//! Nix's protocol to the machine's store, compressed, with the agent at the other end.
//!
//! Nix copies to a socket of ours as to a local daemon. What it sends goes to the agent, compressed,
//! and the agent hands it to the machine's daemon; what the daemon answers comes back as it is.

use std::{
    io,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use deploy_wire::machine::Compress;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    time::timeout,
};

use crate::{
    stages::{ask::Probed, store::mark::Mark},
    tools::{
        compress::{Compressor, Level},
        lease::Lease,
        nix::RemoteStore,
        place::Running,
        private, shell,
    },
};

/// How long Nix may send nothing before the other side gets what zstd kept. Within one message Nix
/// is never silent for that long.
const PAUSE: Duration = Duration::from_millis(1);

/// The number of bytes to read at once.
const PIECE: usize = 128 << 10;

/// A socket that stands for the machine's store.
pub struct Carrier {
    listener: UnixListener,
    folder: TempDir,
    level: Level,
    /// The bytes that were sent to the machine.
    pub on_the_wire: AtomicU64,
}

impl Carrier {
    /// Makes the socket. `None` where Nix could not name it, or where the stream is not to be
    /// compressed.
    pub fn new(compress: Compress) -> io::Result<Option<Self>> {
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
        Ok(Some(Self { listener, folder, level, on_the_wire: AtomicU64::new(0) }))
    }

    /// The store for Nix's commands.
    pub fn store(&self) -> RemoteStore {
        RemoteStore {
            url: format!("unix://{}", socket(self.folder.path()).display()),
            sshopts: String::new(),
            environment: Vec::new(),
        }
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
        let carried = async {
            stdin.write_all(probed.root.stdin_prefix().as_bytes()).await?;
            let (nix, _) = self.listener.accept().await?;
            self.between(nix, &mut stdout, &mut stdin).await
        };
        let ended = carried.await;
        drop(stdin);
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
        tokio::select! {
            sent = self.send(from_nix, to_agent) => sent,
            answered = tokio::io::copy_buf(from_agent, &mut to_nix) => {
                answered.and(Err(io::ErrorKind::UnexpectedEof.into()))
            }
        }
    }

    async fn send(
        &self,
        mut from: impl AsyncReadExt + Unpin,
        to: &mut (dyn AsyncWrite + Unpin + Send),
    ) -> io::Result<()> {
        let mut compressor = Compressor::new(self.level)?;
        let mut piece = vec![0; PIECE];
        let mut ready = Vec::new();
        let mut flushed = true;
        loop {
            let read = from.read(&mut piece);
            // A read that is cut off has read nothing.
            let read = if flushed { Ok(read.await) } else { timeout(PAUSE, read).await };
            let length = match read {
                Ok(length) => length?,
                Err(_) => {
                    compressor.flush(&mut ready)?;
                    flushed = true;
                    self.write(&mut ready, to).await?;
                    continue;
                }
            };
            if length == 0 {
                compressor.finish(&mut ready)?;
                return self.write(&mut ready, to).await;
            }
            compressor.add(&piece[..length], &mut ready)?;
            flushed = false;
            let begun = Instant::now();
            self.write(&mut ready, to).await?;
            let now = Instant::now();
            compressor.was_sent(length, now - begun, now)?;
        }
    }

    async fn write(
        &self,
        ready: &mut Vec<u8>,
        to: &mut (dyn AsyncWrite + Unpin + Send),
    ) -> io::Result<()> {
        to.write_all(ready).await?;
        to.flush().await?;
        self.on_the_wire.fetch_add(ready.len() as u64, Ordering::Relaxed);
        ready.clear();
        Ok(())
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
