//! The stderr of `ssh` during a login: a prompt to touch a key, banners, warnings.

use std::{future::Future, time::Duration};

use tokio::{
    io::{AsyncRead, BufReader},
    time::{Instant, sleep_until},
};

use crate::tools::bounded;

/// How long a line waits before it is reported. The last line before `ssh` ends is usually the
/// reason, and then the error includes it.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// The lines of one `ssh`, which are reported as they arrive and kept for the error.
pub struct Heard<R> {
    reader: BufReader<R>,
    /// The part of a line that has arrived.
    line: Vec<u8>,
    said: String,
    waiting: Vec<String>,
    ended: bool,
    /// How many more lines may be reported.
    more: usize,
    authenticated: Option<String>,
}

/// Prefixes of lines that `ssh` prints only with `LogLevel=VERBOSE`.
const VERBOSE: [&str; 3] = ["Authenticated ", "Transferred: sent ", "Bytes per second: sent "];

/// The authentication method in `Authenticated to HOST ([ADDRESS]:22) using "publickey".`
fn method(line: &str) -> Option<&str> {
    let (_, rest) = line.strip_prefix("Authenticated to ")?.split_once("using \"")?;
    rest.split('"').next()
}

/// The maximum bytes of a line. A longer line is split.
const LONGEST: usize = 4096;

/// The maximum number of reported lines of a login. A machine may print banners without end.
const TOLD: usize = 200;

impl<R: AsyncRead + Unpin> Heard<R> {
    /// Listens to `stderr`.
    pub fn of(stderr: R) -> Self {
        let (reader, line) = (BufReader::new(stderr), Vec::new());
        let (said, waiting) = (String::new(), Vec::new());
        let (ended, more, authenticated) = (false, TOLD, None);
        Self { reader, line, said, waiting, ended, more, authenticated }
    }

    /// The authentication method, if `ssh` printed it.
    pub fn authenticated(&mut self) -> Option<String> {
        self.authenticated.take()
    }

    /// The next line. Dropping this future loses nothing.
    async fn next(&mut self) -> Option<Vec<u8>> {
        bounded::piece(&mut self.reader, &mut self.line, LONGEST).await.ok()?;
        Some(std::mem::take(&mut self.line)).filter(|line| !line.is_empty())
    }

    /// Reports lines until `answer` is ready.
    pub async fn during<T>(
        &mut self,
        answer: impl Future<Output = T>,
        mut tell: impl FnMut(&str),
    ) -> T {
        tokio::pin!(answer);
        let mut when = Instant::now();
        loop {
            tokio::select! {
                biased;
                line = self.next(), if !self.ended => match line {
                    Some(line) => {
                        let line = self.keep(&line);
                        if !line.is_empty() && self.more > 0 {
                            self.more -= 1;
                            self.waiting.push(line);
                        }
                        when = Instant::now() + LAST_WORDS;
                    }
                    // stderr is closed, so only the answer is left.
                    None => self.ended = true,
                },
                answer = &mut answer => return answer,
                () = sleep_until(when), if !self.waiting.is_empty() && !self.ended => {
                    self.waiting.drain(..).for_each(|line| tell(&line));
                }
            }
        }
    }

    /// Reports the waiting lines after a successful login.
    pub fn told(&mut self, mut tell: impl FnMut(&str)) {
        self.waiting.drain(..).for_each(|line| tell(&line));
    }

    /// The whole stderr, read to its end.
    pub async fn all(mut self) -> String {
        while let Some(line) = self.next().await {
            self.keep(&line);
        }
        self.said
    }

    /// Reads to the end and keeps nothing. A full pipe would stop `ssh`.
    pub async fn ignored(mut self) {
        while self.next().await.is_some() {}
    }

    fn keep(&mut self, line: &[u8]) -> String {
        let line = String::from_utf8_lossy(line).trim_end().to_owned();
        if VERBOSE.iter().any(|begin| line.starts_with(begin)) {
            self.authenticated = method(&line).map(str::to_owned).or(self.authenticated.take());
            return String::new();
        }
        if self.said.len() + line.len() < bounded::MESSAGE {
            self.said.push_str(&line);
            self.said.push('\n');
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn banners_without_end_are_neither_kept_nor_told_without_end() {
        let flood = "a banner\n".repeat(100_000) + &"x".repeat(1 << 20);
        let mut heard = Heard::of(flood.as_bytes());
        let mut told = 0;
        let wait = tokio::time::sleep(Duration::from_millis(500));
        heard.during(wait, |_| told += 1).await;
        heard.told(|_| told += 1);
        assert_eq!(told, TOLD);
        assert!(heard.all().await.len() <= bounded::MESSAGE);
    }

    #[tokio::test]
    async fn how_it_was_let_in_is_heard_and_not_told() {
        let said = "a banner\r\nAuthenticated using \"publickey\" with partial success.\r\n\
                    Authenticated to frame1 ([10.77.0.11]:22) using \"password\".\r\n\
                    Transferred: sent 2, received 3 bytes, in 0.1 seconds\r\n";
        let mut heard = Heard::of(said.as_bytes());
        let mut told = Vec::new();
        let wait = tokio::time::sleep(Duration::from_millis(300));
        heard.during(wait, |line| told.push(line.to_owned())).await;
        heard.told(|line| told.push(line.to_owned()));
        assert_eq!(told, ["a banner"]);
        assert_eq!(heard.authenticated().as_deref(), Some("password"));
        assert_eq!(heard.all().await, "a banner\n");
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn what_is_said_while_it_waits_is_told_and_last_words_are_not() {
        let (mut ssh, stderr) = tokio::io::duplex(100);
        let mut heard = Heard::of(stderr);
        let mut told = Vec::new();
        let talk = async {
            ssh.write_all(b"Confirm user presence\r\n").await.unwrap();
            tokio::time::sleep(Duration::from_secs(3)).await;
            ssh.write_all(b"ssh: Connection refused\n").await.unwrap();
            drop(ssh);
            tokio::time::sleep(Duration::from_secs(3)).await;
        };
        heard.during(talk, |line| told.push(line.to_owned())).await;
        assert_eq!(told, ["Confirm user presence"]);
        assert_eq!(heard.all().await, "Confirm user presence\nssh: Connection refused\n");
    }
}
