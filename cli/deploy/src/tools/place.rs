//! Where a machine's commands run: over a login, or on this computer.

use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use super::{
    process::Invocation,
    shell,
    ssh::{Login, SshError, Target},
};

/// The machine, as commands reach it.
pub enum Place {
    /// Over SSH.
    Remote(Box<Login>),
    /// It is this computer (`--local`).
    Here,
}

/// A command that runs, with its pipes. It is the caller's to keep until the
/// conversation is over.
pub struct Running<'place> {
    /// What it prints.
    pub stdout: Box<dyn AsyncBufRead + Unpin + Send + 'place>,
    /// What it reads.
    pub stdin: Box<dyn AsyncWrite + Unpin + Send + 'place>,
    /// The rest of it.
    pub rest: Rest<'place>,
}

/// What keeps a command running, and its stderr.
pub struct Rest<'place> {
    stderr: Box<dyn AsyncRead + Unpin + Send + 'place>,
    _command: Command<'place>,
}

enum Command<'place> {
    Remote { _child: Box<openssh::Child<&'place openssh::Session>> },
    Here { _child: Box<tokio::process::Child> },
}

impl Place {
    /// Logs in (or not) and runs `greeting`; gives what it printed. What `ssh` says is given
    /// to `tell`.
    pub async fn open(
        target: Option<&Target>,
        greeting: &str,
        tell: impl FnMut(&str),
    ) -> Result<(Self, String), SshError> {
        match target {
            Some(target) => {
                let (login, said) = Login::open(target, greeting, tell).await?;
                Ok((Self::Remote(Box::new(login)), said))
            }
            None => {
                let said = Self::Here.run(greeting, "").await?;
                Ok((Self::Here, said))
            }
        }
    }

    /// The login, if there is one.
    pub fn login(&self) -> Option<&Login> {
        match self {
            Self::Remote(login) => Some(login),
            Self::Here => None,
        }
    }

    /// Runs `script` (sh) to its end: stdout if its status is 0.
    pub async fn run(&self, script: &str, stdin: &str) -> Result<String, SshError> {
        match self {
            Self::Remote(login) => login.run(script, stdin).await,
            Self::Here => {
                let mut child = here(script)?;
                let mut input = child.stdin.take().expect("stdin is a pipe");
                let write = async {
                    let _ = input.write_all(stdin.as_bytes()).await;
                    drop(input);
                };
                let ((), output) = tokio::join!(write, child.wait_with_output());
                let output = output.map_err(|error| SshError::from_stderr(&error.to_string()))?;
                if output.status.success() {
                    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
                } else {
                    Err(SshError::from_stderr(&String::from_utf8_lossy(&output.stderr)))
                }
            }
        }
    }

    /// Starts `script` (sh).
    pub async fn spawn(&self, script: &str) -> Result<Running<'_>, SshError> {
        Ok(match self {
            Self::Remote(login) => {
                let mut child = login.spawn(script).await?;
                Running {
                    stdin: Box::new(child.stdin().take().expect("stdin is a pipe")),
                    stdout: Box::new(BufReader::new(
                        child.stdout().take().expect("stdout is a pipe"),
                    )),
                    rest: Rest {
                        stderr: Box::new(child.stderr().take().expect("stderr is a pipe")),
                        _command: Command::Remote { _child: Box::new(child) },
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
                        _command: Command::Here { _child: Box::new(child) },
                    },
                }
            }
        })
    }
}

impl Rest<'_> {
    /// What the command wrote to stderr, once it has ended.
    pub async fn stderr(&mut self) -> String {
        let mut said = String::new();
        let _ = self.stderr.read_to_string(&mut said).await;
        said
    }
}

fn here(script: &str) -> Result<tokio::process::Child, SshError> {
    Invocation::new("/bin/sh")
        .args(["-c", &shell::sh(script)])
        .spawn()
        .map_err(|error| SshError::from_stderr(&error.to_string()))
}
