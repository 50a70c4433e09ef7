//! Where a machine's commands run: over a login, or on this computer.

use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use super::{
    bounded,
    limit::{ANSWER, within},
    process::Invocation,
    shell,
    ssh::{Greeted, Login, Opening, Remote, SshError, Target},
};

/// How long a command may take to end after it failed.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// The place where a machine's commands run.
pub enum Place {
    /// Over SSH.
    Remote(Box<Login>),
    /// On this computer (`--local`).
    Here,
}

/// A running command with its pipes. The caller keeps it until the conversation is over.
pub struct Running<'place> {
    /// The command's stdout.
    pub stdout: Box<dyn AsyncBufRead + Unpin + Send + 'place>,
    /// The command's stdin.
    pub stdin: Box<dyn AsyncWrite + Unpin + Send + 'place>,
    /// The command itself, with its stderr.
    pub rest: Rest<'place>,
}

/// Keeps a command running, and has its stderr.
pub struct Rest<'place> {
    stderr: Box<dyn AsyncRead + Unpin + Send + 'place>,
    command: RunningCommand<'place>,
}

enum RunningCommand<'place> {
    Remote { child: Box<openssh::Child<&'place openssh::Session>> },
    Here { child: Box<tokio::process::Child> },
}

impl Place {
    /// Logs in, unless `target` is `None`, and runs `greeting`; returns its output. `tell` gets
    /// what `ssh` prints.
    pub async fn open(
        target: Option<&Target>,
        greeting: &str,
        tell: impl FnMut(&str),
    ) -> Result<(Self, Greeted), SshError> {
        match target {
            Some(target) => {
                let (login, said) = within(ANSWER, Login::open(target, greeting, tell)).await??;
                Ok((Self::Remote(Box::new(login)), said))
            }
            None => {
                let said = Self::Here.run(greeting, "").await?;
                Ok((Self::Here, Greeted { said, ..Greeted::default() }))
            }
        }
    }

    /// Greets a login that has begun; returns the output of `greeting`. `tell` gets what `ssh`
    /// prints.
    pub async fn greet(
        opening: Opening,
        greeting: &str,
        tell: impl FnMut(&str),
    ) -> Result<(Self, Greeted), SshError> {
        let (login, said) = within(ANSWER, Login::greet(opening, greeting, tell)).await??;
        Ok((Self::Remote(Box::new(login)), said))
    }

    /// The login, if there is one.
    pub fn login(&self) -> Option<&Login> {
        match self {
            Self::Remote(login) => Some(login),
            Self::Here => None,
        }
    }

    /// Runs `script` (sh) to its end; returns its stdout if its status is 0. It gives up after
    /// [`ANSWER`]: `a_question_that_is_never_answered_is_given_up` proves it.
    pub async fn run(&self, script: &str, stdin: &str) -> Result<String, SshError> {
        self.run_within(ANSWER, script, stdin).await
    }

    /// The same with another time limit.
    pub async fn run_within(
        &self,
        limit: Duration,
        script: &str,
        stdin: &str,
    ) -> Result<String, SshError> {
        within(limit, self.run_to_its_end(script, stdin)).await?
    }

    async fn run_to_its_end(&self, script: &str, stdin: &str) -> Result<String, SshError> {
        match self {
            Self::Remote(login) => login.run(script, stdin).await,
            Self::Here => {
                let mut child = here(script)?;
                let mut input = child.stdin.take().expect("stdin is a pipe");
                let write = async {
                    let _ = input.write_all(stdin.as_bytes()).await;
                    drop(input);
                };
                let mut stdout = child.stdout.take().expect("stdout is a pipe");
                let mut stderr = child.stderr.take().expect("stderr is a pipe");
                let read = async {
                    let stdout = bounded::all(&mut stdout, bounded::ANSWER);
                    tokio::try_join!(stdout, bounded::start(&mut stderr, bounded::MESSAGE))
                };
                let ((), read) = tokio::join!(write, read);
                let (stdout, stderr) = read?;
                if child.wait().await?.success() {
                    Ok(String::from_utf8_lossy(&stdout).into_owned())
                } else {
                    Err(SshError::from_stderr(&String::from_utf8_lossy(&stderr)))
                }
            }
        }
    }

    /// Starts `script` (sh).
    pub async fn spawn(&self, script: &str) -> Result<Running<'_>, SshError> {
        Ok(match self {
            Self::Remote(login) => {
                let Remote { stdin, stdout, stderr, child } =
                    within(ANSWER, login.spawn(script)).await??;
                Running {
                    stdin: Box::new(stdin),
                    stdout: Box::new(stdout),
                    rest: Rest {
                        stderr: Box::new(stderr),
                        command: RunningCommand::Remote { child: Box::new(child) },
                    },
                }
            }
            Self::Here => {
                let mut child = here(script)?;
                Running {
                    stdin: Box::new(child.stdin.take().expect("stdin is a pipe")),
                    stdout: Box::new(BufReader::new(
                        child.stdout.take().expect("stdout is a pipe"),
                    )),
                    rest: Rest {
                        stderr: Box::new(child.stderr.take().expect("stderr is a pipe")),
                        command: RunningCommand::Here { child: Box::new(child) },
                    },
                }
            }
        })
    }
}

impl Rest<'_> {
    /// Waits for the end of the command, whose output was read to its end; gives its stderr.
    pub async fn ended(mut self) -> Result<String, SshError> {
        let said = self.stderr().await;
        let succeeded = match self.command {
            RunningCommand::Remote { child } => {
                let status = child.wait().await;
                status.is_ok_and(|status| status.success())
            }
            RunningCommand::Here { mut child } => child.wait().await?.success(),
        };
        if succeeded { Ok(said) } else { Err(SshError::from_stderr(&said)) }
    }

    /// The stderr of the command, once it has ended. If the command does not end, this returns
    /// after a moment.
    pub async fn stderr(&mut self) -> String {
        let mut said = Vec::new();
        let mut stderr = (&mut self.stderr).take(bounded::MESSAGE as u64);
        let _ = within(LAST_WORDS, stderr.read_to_end(&mut said)).await;
        String::from_utf8_lossy(&said).into_owned()
    }
}

/// Starts the command out of reach of Ctrl-C, like a login. `deploy` must tell the agent about the
/// interrupt, and the agent must live until the machine has rolled back.
/// `ctrl-c-on-the-machine-itself-goes-back-at-once` proves it.
fn here(script: &str) -> Result<tokio::process::Child, SshError> {
    Invocation::shielded("/bin/sh")
        .args(["-c", &shell::with_path(script)])
        .spawn()
        .map_err(|error| SshError::here(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::ssh::Diagnosis;

    /// The paused clock jumps to the limit as soon as nothing else can happen.
    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_question_that_is_never_answered_is_given_up() {
        let late = Place::Here.run("exec sleep 600", "").await.unwrap_err();
        assert_eq!(late.diagnosis, Diagnosis::NoAnswer);
        assert_eq!(late.to_string(), "it did not answer within 300 s");
    }

    #[tokio::test]
    async fn what_this_computer_answers_without_end_is_refused_too() {
        let refused = Place::Here.run("yes", "").await.unwrap_err().to_string();
        assert!(refused.contains("it sent more than 16 MiB"), "{refused}");
        let script = "head -c 1000000 /dev/zero >&2; cat";
        assert_eq!(Place::Here.run(script, "said").await.unwrap(), "said");
    }
}
