//! Commands from the machine's description: checks, and commands before the switch.

use std::{process::Command, time::Duration};

use super::process::{self, LeftBehind, NotRun, Ran};

/// Runs a program without a shell, in `/` and with the running system's PATH.
pub fn run(argv: &[String], limit: Duration, left: LeftBehind) -> Result<Ran, NotRun> {
    let (program, arguments) =
        argv.split_first().map_or(("", &[] as &[String]), |(first, rest)| (first.as_str(), rest));
    let mut command = Command::new(program);
    command.args(arguments).current_dir("/").env("PATH", path());
    process::run_and(&mut command, limit, left)
}

/// The PATH of a NixOS machine, followed by the usual folders.
pub fn path() -> String {
    "/run/wrappers/bin:/run/current-system/sw/bin:/run/current-system/systemd/bin:\
     /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        .to_owned()
}
