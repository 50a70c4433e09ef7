//! qemu's control socket: JSON lines, in QMP.

use std::{io, path::Path, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// How often to try until qemu has made its socket.
const AGAIN: Duration = Duration::from_millis(50);

/// A connection to qemu.
pub struct Qmp {
    /// How the guest stopped, if that was told before a command's answer.
    stopped: Option<GuestStop>,
    lines: Lines<BufReader<OwnedReadHalf>>,
    write: OwnedWriteHalf,
}

/// Why a guest stopped running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuestStop {
    /// It restarts.
    Reset,
    /// It shut down.
    Off,
    /// qemu was told to end, or got a signal that it obeys.
    Told,
}

impl Qmp {
    /// Connects, and waits until the socket exists.
    pub async fn connect(socket: &Path) -> io::Result<Self> {
        loop {
            match UnixStream::connect(socket).await {
                Ok(stream) => return Self::greet(stream).await,
                // A socket that an earlier qemu left refuses.
                Err(error) if is_not_yet(&error) => tokio::time::sleep(AGAIN).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// Connects to a qemu that runs.
    pub async fn connect_now(socket: &Path) -> io::Result<Self> {
        Self::greet(UnixStream::connect(socket).await?).await
    }

    async fn greet(stream: UnixStream) -> io::Result<Self> {
        let (read, write) = stream.into_split();
        let mut qmp = Self { stopped: None, lines: BufReader::new(read).lines(), write };
        // Its greeting comes first; only then are commands taken.
        qmp.line().await?;
        qmp.say("qmp_capabilities").await?;
        Ok(qmp)
    }

    /// Sends a command without arguments, and waits until qemu has taken it. qemu drops what it has
    /// not read when the connection is closed:
    /// `a-virtual-machine-is-started-and-deployed-to-and-stopped`.
    pub async fn say(&mut self, command: &str) -> io::Result<()> {
        let text = format!("{}\n", json!({ "execute": command }));
        self.write.write_all(text.as_bytes()).await?;
        loop {
            let line = self.line().await?;
            if line.get("return").is_some() {
                return Ok(());
            }
            if let Some(error) = line.get("error") {
                return Err(io::Error::other(error.to_string()));
            }
            self.stopped = read(&line).or(self.stopped);
        }
    }

    /// Waits until the guest stops running.
    pub async fn stopped(&mut self) -> io::Result<GuestStop> {
        if let Some(stopped) = self.stopped.take() {
            return Ok(stopped);
        }
        loop {
            if let Some(stopped) = read(&self.line().await?) {
                return Ok(stopped);
            }
        }
    }

    async fn line(&mut self) -> io::Result<Value> {
        let line = self.lines.next_line().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(serde_json::from_str(&line)?)
    }
}

fn is_not_yet(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

/// What an event says of the guest's end.
fn read(line: &Value) -> Option<GuestStop> {
    if line["event"] != "SHUTDOWN" {
        return None;
    }
    Some(match line["data"]["reason"].as_str() {
        Some("guest-reset") => GuestStop::Reset,
        Some("guest-shutdown") => GuestStop::Off,
        _ => GuestStop::Told,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_is_told_from_a_shutdown() {
        let event = |reason: &str| {
            let data = json!({ "guest": true, "reason": reason });
            read(&json!({ "event": "SHUTDOWN", "data": data }))
        };
        assert_eq!(event("guest-reset"), Some(GuestStop::Reset));
        assert_eq!(event("guest-shutdown"), Some(GuestStop::Off));
        assert_eq!(event("host-qmp-quit"), Some(GuestStop::Told));
        assert_eq!(read(&json!({ "event": "POWERDOWN" })), None);
        assert_eq!(read(&json!({ "return": {} })), None);
    }
}
