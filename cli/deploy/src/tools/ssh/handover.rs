//! Stands between Nix and its `ssh` when a machine needs a sudo password or when its start-up files
//! print something. Nix supports neither.
//!
//! Nix finds this program under the name `ssh` first on its PATH. The program asks its grandparent
//! process for the password over a socket in a folder that only the user can enter, so that no file
//! contains it. It writes the password to the real `ssh`, and then passes on what Nix writes. It
//! passes on the machine's output only after the first line of the command.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    io::Read,
    os::unix::{fs::symlink, net::UnixStream},
    path::{Path, PathBuf},
    process::ExitCode,
};

use rustix::process::geteuid;
use tokio::{io::AsyncWriteExt, net::UnixListener, task::JoinHandle};
use zeroize::Zeroizing;

use super::{Password, begun};
use crate::tools::{
    process::{self, Invocation},
    shell,
};

/// The environment variable that names the login's private folder.
const VARIABLE: &str = "DEPLOY_SSH_FOLDER";

/// The subfolder with the link to this program, and the socket for the password.
const BIN: &str = "bin";
const SOCKET: &str = "p";

/// The name under which Nix starts this program.
const SSH: &str = "ssh";

/// A terminal accepts no longer line.
const LONGEST: usize = 8192;

/// Stands in for `ssh`, and gives the password to the user's own processes while it lives.
#[derive(Debug)]
pub struct Handover {
    private: PathBuf,
    server: Option<JoinHandle<()>>,
}

impl Handover {
    /// Begins in a folder that only the user can enter.
    pub fn begin(private: &Path, password: Option<&Password>) -> io::Result<Self> {
        let folder = private.join(BIN);
        fs::create_dir(&folder)?;
        // A link and not a copy, because /tmp may be mounted noexec.
        symlink(std::env::current_exe()?, folder.join(SSH))?;
        let server = match password {
            Some(password) => {
                let listener = UnixListener::bind(private.join(SOCKET))?;
                Some(tokio::spawn(serve(listener, password.clone())))
            }
            None => None,
        };
        Ok(Self { private: private.to_owned(), server })
    }

    /// The environment of an `ssh`.
    pub fn environment(&self) -> Vec<(String, OsString)> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let own = std::iter::once(self.private.join(BIN));
        let folders = own.chain(std::env::split_paths(&path));
        let path = std::env::join_paths(folders).expect("PATH was a PATH before");
        vec![("PATH".into(), path), (VARIABLE.into(), self.private.clone().into())]
    }
}

impl Drop for Handover {
    fn drop(&mut self) {
        self.server.iter().for_each(JoinHandle::abort);
    }
}

async fn serve(listener: UnixListener, password: Password) {
    while let Ok((mut stream, _)) = listener.accept().await {
        // The folder already keeps out everybody but root, who does not need the socket.
        if stream.peer_cred().is_ok_and(|peer| peer.uid() == geteuid().as_raw()) {
            let _ = stream.write_all(password.line().as_bytes()).await;
        }
    }
}

/// Acts as `ssh` if one of our Nix processes started this program under that name; returns `None`
/// otherwise.
pub fn as_ssh() -> Option<ExitCode> {
    let private = PathBuf::from(std::env::var_os("DEPLOY_SSH_FOLDER")?);
    let mut args = std::env::args_os();
    let name = PathBuf::from(args.next()?);
    if name.file_name()? != SSH {
        return None;
    }
    Some(run(&private, args.collect()).unwrap_or_else(|error| {
        eprintln!("cannot start ssh for Nix: {error}");
        ExitCode::from(255)
    }))
}

fn run(private: &Path, args: Vec<OsString>) -> io::Result<ExitCode> {
    let program = process::find_beyond(&private.join(BIN), SSH)
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no ssh on PATH"))?;
    let begins = begins(&args);
    let ssh = Invocation::new(program).args(args);
    if !begins {
        return Err(ssh.replace_this());
    }
    let socket = private.join(SOCKET);
    let line = if socket.exists() { fetched(&socket)? } else { Zeroizing::default() };
    ssh.run_behind(line, |out| {
        begun::pass_on(out, &mut io::stdout().lock(), &mut io::stderr().lock())
    })
}

/// Whether the arguments contain a command that prints [`shell::BEGINS`]. Nix also starts `ssh` to
/// ask about its version and its master, and it splits a command at blanks.
fn begins(args: &[OsString]) -> bool {
    args.join(OsStr::new(" ")).to_string_lossy().contains(shell::BEGINS)
}

fn fetched(socket: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(vec![0; LONGEST]);
    let mut stream = UnixStream::connect(socket)?;
    let mut length = 0;
    loop {
        match stream.read(&mut line[length..])? {
            0 => break,
            more => length += more,
        }
    }
    line.truncate(length);
    if line.last() == Some(&b'\n') { Ok(line) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileTypeExt;

    use super::*;

    /// All files below `folder` that are not empty.
    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
        let has_contents = |file: &PathBuf| fs::symlink_metadata(file).unwrap().is_file();
        let below = folders.iter().flat_map(|folder| self::files(folder));
        files.into_iter().filter(has_contents).chain(below).collect()
    }

    #[test]
    fn a_command_that_begins_is_known_in_one_word_and_in_many() {
        let line = shell::program_that_begins("sudo nix-daemon");
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert!(begins(&[words("-o ControlPath=s frame1"), words(&line)].concat()));
        assert!(begins(&["frame1".into(), line.into()]));
        assert!(!begins(&words("-O check frame1")));
        assert!(!begins(&words(&shell::program("sudo nix-daemon"))));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn the_password_is_handed_over_without_a_file() {
        let private = tempfile::tempdir().unwrap();
        let password = Password::new(Zeroizing::new("open sesame".into()));
        let handover = Handover::begin(private.path(), Some(&password)).unwrap();
        let socket = private.path().join(SOCKET);
        assert!(fs::symlink_metadata(&socket).unwrap().file_type().is_socket());
        assert!(files(private.path()).is_empty(), "{:?}", files(private.path()));
        for _ in 0..2 {
            let socket = socket.clone();
            let line = tokio::task::spawn_blocking(move || fetched(&socket)).await.unwrap();
            assert_eq!(line.unwrap().as_slice(), b"open sesame\n");
        }
        let environment = handover.environment();
        // The user's processes can read the environment, and children inherit it.
        let said = format!("{environment:?}");
        assert!(!said.contains("open sesame"), "{said}");
        let path = environment[0].1.to_str().unwrap().to_owned();
        assert!(path.starts_with(private.path().join(BIN).to_str().unwrap()), "{path}");
        drop(handover);
        tokio::task::yield_now().await;
        let gone = tokio::task::spawn_blocking(move || fetched(&socket)).await.unwrap();
        assert!(gone.is_err(), "handed over after its end");
    }
}
