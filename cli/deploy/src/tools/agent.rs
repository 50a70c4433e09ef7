//! The conversation with `deploy-agent serve`: one JSON document a line, in both directions.

use deploy_wire::{
    WIRE_VERSION,
    attempt::Login,
    message::{Answered, Asked, Reply, Request},
};
use tokio::io::{AsyncBufRead, AsyncWrite, AsyncWriteExt};

use super::{bounded, limit::Late};

/// A conversation with an agent over a pair of pipes.
pub struct Conversation<R, W> {
    reader: R,
    writer: W,
    login: Option<Login>,
    /// The part of a line that has arrived. A caller may stop waiting in the middle of a line and
    /// continue later.
    line: Vec<u8>,
    /// The bytes of all replies so far.
    received: usize,
}

/// Why a conversation stopped.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The connection ended.
    #[error("the connection to the agent ended")]
    Ended,
    /// Reading or writing failed.
    #[error("the connection to the agent broke: {0}")]
    Broken(#[from] std::io::Error),
    /// No reply arrived in time.
    #[error(transparent)]
    Late(#[from] Late),
    /// The agent sent something that this program does not understand.
    #[error("unexpected reply: `{}`", .1.trim_end())]
    Unreadable(serde_json::Error, String),
    /// The agent's reply has a later version than this program supports.
    #[error("the agent speaks version {0}, and this deploy {WIRE_VERSION}")]
    Newer(u32),
}

/// The part of a reply that every version has.
#[derive(serde::Deserialize)]
struct ReplyVersion {
    version: u32,
}

/// Parses a reply.
pub fn read_reply(line: &str) -> Result<Reply, AgentError> {
    serde_json::from_str(line).map(|answered: Answered| answered.reply).map_err(|error| {
        match serde_json::from_str(line) {
            Ok(ReplyVersion { version }) if version > WIRE_VERSION => AgentError::Newer(version),
            _ => AgentError::Unreadable(error, line.to_owned()),
        }
    })
}

impl<R: AsyncBufRead + Unpin, W: AsyncWrite + Unpin> Conversation<R, W> {
    /// Begins a conversation over pipes. `prefix` is the input that sudo reads first.
    pub async fn begin(
        reader: R,
        mut writer: W,
        login: Option<Login>,
        prefix: &str,
    ) -> Result<Self, AgentError> {
        ignore_closed_pipe(writer.write_all(prefix.as_bytes()).await)?;
        Ok(Self { reader, writer, login, line: Vec::new(), received: 0 })
    }

    /// Sends a request.
    pub async fn ask(&mut self, request: Request) -> Result<(), AgentError> {
        let asked = Asked { version: WIRE_VERSION, login: self.login.clone(), request };
        let mut line = serde_json::to_string(&asked).expect("a request is JSON");
        line.push('\n');
        ignore_closed_pipe(self.writer.write_all(line.as_bytes()).await)?;
        Ok(ignore_closed_pipe(self.writer.flush().await)?)
    }

    /// Refuses replies of more than a limit in total.
    pub fn refuse_overflow(&self) -> Result<(), AgentError> {
        let fits = self.received <= bounded::REPLIES;
        if fits { Ok(()) } else { Err(bounded::too_much(bounded::REPLIES).into()) }
    }

    /// The next reply.
    pub async fn next(&mut self) -> Result<Reply, AgentError> {
        bounded::line(&mut self.reader, &mut self.line, bounded::REPLY).await?;
        self.received += self.line.len();
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
        if line.is_empty() {
            return Err(AgentError::Ended);
        }
        read_reply(&line)
    }
}

/// Ignores that the agent did not read the request. It has ended then, and its output says why:
/// `the-agent-that-was-named-says-nothing-that-is-known` proves it.
fn ignore_closed_pipe(written: std::io::Result<()>) -> std::io::Result<()> {
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use deploy_wire::event::Event;

    use super::*;

    async fn answer(from: &str) -> AgentError {
        let reader = tokio::io::BufReader::new(tokio::fs::File::open(from).await.unwrap());
        let mut talk = Conversation::begin(reader, tokio::io::sink(), None, "").await.unwrap();
        talk.next().await.unwrap_err()
    }

    #[test]
    fn a_reply_says_its_version_and_one_of_a_later_version_is_told_from_garbage() {
        let done = |version: u32| format!(r#"{{"version":{version},"is":"done"}}"#);
        assert_eq!(read_reply(&done(WIRE_VERSION)).unwrap(), Reply::Done);
        let later = r#"{"version":9,"is":"paused","until":3}"#;
        assert!(matches!(read_reply(later), Err(AgentError::Newer(9))));
        for garbage in [r#"{"is":"done"}"#, r#"{"version":1,"is":"paused"}"#, "done"] {
            assert!(matches!(read_reply(garbage), Err(AgentError::Unreadable(..))), "{garbage}");
        }
    }

    /// An agent of a later version reports an event that this program does not know.
    #[test]
    fn an_unknown_event_is_read_as_one() {
        let event = |event: &str| {
            let line = format!(r#"{{"version":1,"is":"event","number":3,"event":{event}}}"#);
            read_reply(&line).unwrap()
        };
        let reply = event(r#"{"type":"paused","until":3}"#);
        assert_eq!(reply, Reply::Event { number: 3, event: Event::Unknown });
        let reply = event(r#"{"type":"note","text":"a","colour":"red"}"#);
        assert_eq!(reply, Reply::Event { number: 3, event: Event::Note { text: "a".into() } });
    }

    /// A folder can be opened, but reading it fails.
    #[tokio::test]
    async fn a_conversation_that_breaks_is_told_apart_from_one_that_ends() {
        assert!(matches!(answer("/dev/null").await, AgentError::Ended));
        let broken = answer("/").await;
        assert!(matches!(broken, AgentError::Broken(_)), "{broken}");
        assert!(broken.to_string().starts_with("the connection to the agent broke: "), "{broken}");
    }
}
