//! The builder's side of a push that goes straight to the machine.

use std::{cell::RefCell, time::Duration};

use deploy_wire::{builder_push::PushedPath, store_path::StorePath};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::{key::OneTimeKey, listing};
use crate::tools::{
    bounded,
    limit::within,
    nix::{
        Substitute,
        log::{Progress, Reader},
    },
    shell,
    ssh::{OtherHost, Route},
};

/// How long the builder's Nix may take to list a closure.
pub const LISTS: Duration = Duration::from_secs(60);

const SCRIPT: &str = include_str!("builder.sh");

/// A builder that was logged in to. Dropping it ends what it does.
pub struct Builder(OtherHost);

/// What is said first in a line of the script.
const LISTED: &str = "@listed";
const FAILED: &str = "@failed ";
const ENDED: &str = "@ended ";

impl Builder {
    /// Logs in with the user's own settings, and begins to list the closures of `outs`.
    pub async fn begin(
        host: &str,
        outs: &[&StorePath],
        substitute: Substitute,
    ) -> Result<Self, String> {
        let outs: Vec<&str> = outs.iter().map(|out| out.as_str()).collect();
        let substitute = match substitute {
            Substitute::First => "--substitute-on-destination",
            Substitute::Never => "",
        };
        let script = format!("OUTS=\"{}\" SUBSTITUTE={substitute}\n{SCRIPT}", outs.join(" "));
        OtherHost::start(host, &shell::with_path(&script)).await.map(Self)
    }

    /// What the builder's Nix knows of the closures.
    pub async fn listed(&mut self) -> Result<Vec<PushedPath>, String> {
        let text = within(LISTS, self.text()).await.map_err(|late| late.to_string())?;
        let Some(text) = text.map_err(|error| error.to_string())? else {
            return Err(self.last_words().await);
        };
        if let Some(why) = text.lines().find_map(|line| line.strip_prefix(FAILED)) {
            return Err(why.to_owned());
        }
        listing::read(&text).ok_or_else(|| "its Nix lists what it built in another way".into())
    }

    /// All lines before the list's end, or `None` where the connection ended before.
    async fn text(&mut self) -> std::io::Result<Option<String>> {
        let mut text = String::new();
        loop {
            let mut line = Vec::new();
            let left = bounded::ANSWER.saturating_sub(text.len());
            bounded::line(&mut self.0.stdout, &mut line, left).await?;
            let line = String::from_utf8_lossy(&line);
            match line.trim_end() {
                LISTED => return Ok(Some(text)),
                _ if line.is_empty() => return Ok(None),
                failed if failed.starts_with(FAILED) => return Ok(Some(failed.to_owned())),
                _ => text.push_str(&line),
            }
        }
    }

    async fn last_words(&mut self) -> String {
        let mut said = Vec::new();
        let mut stderr = (&mut self.0.stderr).take(bounded::MESSAGE as u64);
        let _ = within(LAST_WORDS, stderr.read_to_end(&mut said)).await;
        match last_words(&String::from_utf8_lossy(&said)) {
            nothing if nothing.is_empty() => "the connection to it ended".to_owned(),
            said => said,
        }
    }

    /// Hands over the key. Then the builder begins to send.
    pub async fn may_send(
        &mut self,
        to: &Route,
        key: &OneTimeKey,
        host_keys: &[String],
    ) -> Result<(), String> {
        let known: String = host_keys.iter().filter_map(|key| known(key)).collect();
        let said = zeroize::Zeroizing::new(format!(
            "{}\n{}\n{}@known\n{known}@end\n",
            to.user_at_host(),
            to.port,
            *key.private
        ));
        let Some(stdin) = &mut self.0.stdin else { return Err("its login has ended".into()) };
        let written = async {
            stdin.write_all(said.as_bytes()).await?;
            stdin.flush().await
        };
        written.await.map_err(|error| error.to_string())
    }

    /// Waits until the builder has sent everything. `tell` gets its progress.
    pub async fn sends(
        &mut self,
        moves: impl Fn(),
        mut tell: impl FnMut(Progress),
    ) -> Result<(), String> {
        let OtherHost { stdin, stdout, stderr, .. } = &mut self.0;
        let log = RefCell::new(Reader::default());
        let listen = async {
            let mut lines = BufReader::new(stderr);
            loop {
                let mut line = Vec::new();
                let read = bounded::piece(&mut lines, &mut line, bounded::MESSAGE).await;
                if read.is_err() || line.is_empty() {
                    return;
                }
                moves();
                let line = String::from_utf8_lossy(&line);
                let told = log.borrow_mut().line(line.trim_end());
                told.into_iter().for_each(&mut tell);
            }
        };
        tokio::pin!(listen);
        let ended = tokio::select! {
            () = &mut listen => None,
            ended = ended(stdout) => ended,
        };
        match ended {
            Some(0) => Ok(()),
            status => {
                // The script ends with its stdin, and what Nix said may come behind its status.
                drop(stdin.take());
                if status.is_some() {
                    let _ = within(LAST_WORDS, listen).await;
                }
                let otherwise = match status {
                    Some(status) => format!("nix copy there ended with {status}"),
                    None => "the connection to it ended".to_owned(),
                };
                let said = log.borrow().failure_or(otherwise).to_string();
                Err(last_words(&said))
            }
        }
    }
}

/// The name of the machine in the builder's known hosts.
const ALIAS: &str = "machine";

/// How long the last words of a login are waited for.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// A line of known hosts. A machine's words become no more lines than one.
fn known(key: &str) -> Option<String> {
    let (kind, key) = key.split_once(' ')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-@.".contains(&byte);
    let is_key = [kind, key].iter().all(|word| !word.is_empty() && word.bytes().all(plain));
    is_key.then(|| format!("{ALIAS} {kind} {key}\n"))
}

/// The exit status of the push.
async fn ended(stdout: &mut (impl AsyncBufRead + Unpin)) -> Option<i32> {
    let mut lines = stdout.take(bounded::MESSAGE as u64).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(status) = line.strip_prefix(ENDED) {
            return status.trim().parse().ok();
        }
    }
    None
}

/// The last line, and the one before it: Nix says last that its `ssh` ended, which said why.
fn last_words(said: &str) -> String {
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty()).rev();
    let last = lines.next().unwrap_or_default();
    match lines.next() {
        Some(before) => format!("{last}: {before}"),
        None => last.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_key_is_one_line() {
        assert_eq!(known("ssh-ed25519 AAAA").unwrap(), "machine ssh-ed25519 AAAA\n");
        for other in ["", "AAAA", "ssh-ed25519 AAAA\n@end", "ssh-ed25519 AAAA\n* ssh-rsa BBBB"] {
            assert_eq!(known(other), None, "{other}");
        }
    }

    #[test]
    fn what_ssh_said_of_it_stands_behind_what_nix_did() {
        let said = "a banner\nHost key verification failed.\nfailed to start SSH connection\n\n";
        let told = "failed to start SSH connection: Host key verification failed.";
        assert_eq!(last_words(said), told);
        assert_eq!(last_words("one\n"), "one");
        assert_eq!(last_words("\n"), "");
    }
}
