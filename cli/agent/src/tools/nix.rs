//! Nix on the machine: `nix-store`, `nix-env`, `nix-daemon`.

use std::{
    io::BufWriter,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use deploy_wire::store_path::StorePath;

use super::process::{self, Ran};
use crate::storage::paths::PROFILE;

const LIMIT: Duration = Duration::from_secs(120);

fn nix(program: &str, arguments: &[&str]) -> Result<Ran> {
    let mut command = Command::new(process::find(program, &[]));
    Ok(process::run(command.args(arguments), LIMIT)?)
}

/// The paths of a closure from the output of `nix-store`. A truncated output would hide missing
/// paths: `a_closure_that_was_not_told_in_full_is_not_taken_for_valid`.
fn closure<'r>(ran: &'r Ran, of: &[&StorePath]) -> Result<Vec<&'r str>> {
    let told: Vec<&str> = ran.out.lines().collect();
    let lacks = of.iter().find(|path| !told.contains(&path.as_str()));
    match lacks {
        _ if !ran.whole => bail!("cannot read the output of nix-store --query --requisites"),
        Some(path) => bail!("nix-store --query --requisites does not name {path}"),
        None => Ok(told),
    }
}

/// Checks that the closures of these paths are valid in the store. The inner error is Nix's message
/// about the missing paths.
pub fn closures_are_valid(wanted: &[&StorePath]) -> Result<Result<(), String>> {
    let mut arguments = vec!["--query", "--requisites"];
    arguments.extend(wanted.iter().map(|path| path.as_str()));
    let ran = nix("nix-store", &arguments)?;
    if !ran.succeeded() {
        return Ok(Err(ran.last_words().to_owned()));
    }
    // In batches, because a command line has a limit and a closure has none.
    for portion in closure(&ran, wanted)?.chunks(500) {
        let mut arguments = vec!["--check-validity"];
        arguments.extend(portion);
        let ran = nix("nix-store", &arguments)?;
        if !ran.succeeded() {
            return Ok(Err(ran.last_words().to_owned()));
        }
    }
    Ok(Ok(()))
}

fn nix_env(arguments: &[&str]) -> Result<()> {
    let mut all = vec!["--profile", PROFILE];
    all.extend(arguments);
    let ran = nix("nix-env", &all)?;
    if !ran.succeeded() {
        bail!("nix-env {} failed: {}", arguments.join(" "), ran.last_words());
    }
    Ok(())
}

/// Points the system profile to a toplevel. This makes a new generation unless the present one is
/// that toplevel already.
pub fn set_profile(toplevel: &StorePath) -> Result<()> {
    nix_env(&["--set", toplevel.as_str()])
}

/// Points the system profile to an existing generation.
pub fn switch_profile(generation: u64) -> Result<()> {
    nix_env(&["--switch-generation", &generation.to_string()])
}

/// Deletes one generation of the system profile.
pub fn delete_generation(generation: u64) -> Result<()> {
    nix_env(&["--delete-generations", &generation.to_string()])
}

/// `nix-daemon --stdio` and its pipes. Its stderr goes to stderr.
pub struct Daemon {
    pub child: Child,
    pub stdin: BufWriter<ChildStdin>,
    pub stdout: ChildStdout,
}

/// Starts the daemon.
pub fn daemon() -> Result<Daemon> {
    let mut command = Command::new(process::find("nix-daemon", &[]));
    command.arg("--stdio").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().context("nix-daemon cannot be started")?;
    let stdin = child.stdin.take().context("stdin is a pipe")?;
    let stdout = child.stdout.take().context("stdout is a pipe")?;
    Ok(Daemon { child, stdin: BufWriter::new(stdin), stdout })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closure_that_was_not_told_in_full_is_not_taken_for_valid() {
        let path = |name: &str| StorePath::parse(&format!("/nix/store/{}-{name}", "0".repeat(32)));
        let (wanted, agent) = (path("wanted").unwrap(), path("agent").unwrap());
        let ran = |out: String, whole| Ran { status: Some(0), out, err: String::new(), whole };
        let of = [&wanted, &agent];
        let all = format!("{wanted}\n{agent}\n");
        assert_eq!(closure(&ran(all.clone(), true), &of).unwrap().len(), 2);
        assert!(closure(&ran(all, false), &of).is_err(), "more could have come");
        assert!(closure(&ran(format!("{wanted}\n"), true), &of).is_err());
        // The output when the reader got no time.
        assert!(closure(&ran(String::new(), true), &of).is_err());
    }
}
