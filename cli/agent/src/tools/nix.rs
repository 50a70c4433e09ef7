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

/// The closures of these paths or links, as far as they are valid.
pub fn requisites(roots: &[&str]) -> Result<Vec<String>> {
    let arguments = [&["--query", "--requisites"], roots].concat();
    let ran = nix("nix-store", &arguments)?;
    if !ran.succeeded() || !ran.whole {
        bail!("nix-store --query --requisites failed: {}", ran.last_words());
    }
    Ok(ran.out.lines().map(Into::into).collect())
}

/// What Nix's database says of a path: the hash and the bytes of its archive, and its references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    pub path: StorePath,
    /// SHA-256.
    pub hash: [u8; 32],
    pub length: u64,
    pub references: Vec<StorePath>,
}

/// What the database says of these paths.
pub fn registrations(paths: &[&StorePath]) -> Result<Vec<Registration>> {
    let mut all = Vec::new();
    for portion in paths.chunks(500) {
        let mut arguments = vec!["--dump-db"];
        arguments.extend(portion.iter().map(|path| path.as_str()));
        let ran = nix("nix-store", &arguments)?;
        if !ran.succeeded() || !ran.whole {
            bail!("nix-store --dump-db failed: {}", ran.last_words());
        }
        let mut lines = ran.out.lines();
        while let Some(path) = lines.next() {
            let registration = registration(path, &mut lines);
            all.push(registration.context("nix-store --dump-db has another format")?);
        }
    }
    Ok(all)
}

/// Reads a path's hash, size, deriver, number of references, and references.
fn registration<'l>(path: &str, lines: &mut impl Iterator<Item = &'l str>) -> Option<Registration> {
    let digits = lines.next()?;
    let mut hash = [0; 32];
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
    }
    let length = lines.next()?.parse().ok()?;
    let _deriver = lines.next()?;
    let count: usize = lines.next()?.parse().ok()?;
    let references: Vec<StorePath> =
        lines.take(count).map_while(|line| StorePath::parse(line).ok()).collect();
    let path = StorePath::parse(path).ok()?;
    (references.len() == count).then_some(Registration { path, hash, length, references })
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

/// Starts the daemon. Its environment gets the word of a push that has one, by which `deploy` finds
/// what a lost connection left behind; otherwise this process has it already.
pub fn daemon(word: Option<&str>) -> Result<Daemon> {
    let mut command = Command::new(process::find("nix-daemon", &[]));
    command.envs(word.map(|word| ("DEPLOY_LEASE", word)));
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

    #[test]
    fn a_registration_is_read_and_half_of_one_is_none() {
        let path = |name: &str| format!("/nix/store/{}-{name}", "0".repeat(32));
        let digits = "0f".repeat(32);
        let text = format!("{digits}\n4096\n\n2\n{}\n{}\nmore", path("a"), path("b"));
        let read = |text: &str| registration(&path("a"), &mut text.lines());
        let found = read(&text).unwrap();
        assert_eq!((found.hash, found.length, found.references.len()), ([15; 32], 4096, 2));
        for end in [10, 70, 75, 80, 150] {
            assert_eq!(read(&text[..end]), None, "{end}");
        }
    }
}
