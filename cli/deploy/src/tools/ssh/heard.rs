//! What `ssh` says on stderr while a login comes about: to touch a key, banners, warnings.

use std::{future::Future, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader, Split},
    time::{Instant, sleep_until},
};

/// How long a line waits before it is told: what `ssh` says right before it ends is why it
/// ends, and the error tells that.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// The lines of one `ssh`, told as they come and kept for the error.
pub struct Heard<R> {
    lines: Split<BufReader<R>>,
    said: String,
    waiting: Vec<String>,
    ended: bool,
}

impl<R: AsyncRead + Unpin> Heard<R> {
    /// Listens to `stderr`.
    pub fn of(stderr: R) -> Self {
        let lines = BufReader::new(stderr).split(b'\n');
        Self { lines, said: String::new(), waiting: Vec::new(), ended: false }
    }

    /// Tells what is heard until `answer` is there.
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
                line = self.lines.next_segment(), if !self.ended => match line {
                    Ok(Some(line)) => {
                        let line = self.keep(&line);
                        self.waiting.extend((!line.is_empty()).then_some(line));
                        when = Instant::now() + LAST_WORDS;
                    }
                    // Nothing more can be heard; the answer tells how it goes on.
                    Ok(None) | Err(_) => self.ended = true,
                },
                answer = &mut answer => return answer,
                () = sleep_until(when), if !self.waiting.is_empty() && !self.ended => {
                    self.waiting.drain(..).for_each(|line| tell(&line));
                }
            }
        }
    }

    /// Tells what still waits: the login came about.
    pub fn told(&mut self, mut tell: impl FnMut(&str)) {
        self.waiting.drain(..).for_each(|line| tell(&line));
    }

    /// All that was said, to the end.
    pub async fn all(mut self) -> String {
        while let Ok(Some(line)) = self.lines.next_segment().await {
            self.keep(&line);
        }
        self.said
    }

    /// Reads on to the end and keeps nothing: a pipe that fills up would stop `ssh`.
    pub async fn ignored(mut self) {
        while let Ok(Some(_)) = self.lines.next_segment().await {}
    }

    fn keep(&mut self, line: &[u8]) -> String {
        let line = String::from_utf8_lossy(line).trim_end().to_owned();
        self.said.push_str(&line);
        self.said.push('\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

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
