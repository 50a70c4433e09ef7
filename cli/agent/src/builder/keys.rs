//! The files of one-time keys that sshd reads, one for each user that builders log in as.
//!
//! sshd reads such a file as that user, so users may read it; there are public keys in it, and root
//! alone writes it.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};

use super::{calendar, fit};
use crate::{
    clock,
    storage::{
        files,
        paths::{BUILDER_KEYS, WRAPPERS},
    },
    tools::{process, sshd::Sshd},
};

/// What stands before the moment after which a key is refused.
const EXPIRY: &str = "expiry-time=\"";

/// Whether sshd reads these files.
///
/// # Errors
/// It does not, or it takes no keys.
pub fn are_read(sshd: &Sshd) -> Result<()> {
    ensure!(sshd.takes_keys, "its sshd accepts no keys");
    let pattern = format!("{BUILDER_KEYS}/%u");
    if sshd.authorized_keys.contains(&pattern) {
        return Ok(());
    }
    bail!("its sshd does not read {pattern} (`AuthorizedKeysFile`; deploy.agent.acceptBuilders)")
}

/// The only command of a key.
///
/// # Errors
/// When a part of it means something else in some shell.
pub fn command(as_root: &[String], word: &str) -> Result<String> {
    let agent = std::env::current_exe().context("the agent does not know its own program")?;
    let mut words = Vec::new();
    if let Some((program, rest)) = as_root.split_first() {
        // /run/current-system/sw/bin has a sudo that is not root's.
        let program = process::find(program, &[PathBuf::from(WRAPPERS)]);
        words.push(program.display().to_string());
        words.extend(rest.iter().cloned());
    }
    words.extend([agent.display().to_string(), "serve".into(), "--builder".into(), word.into()]);
    if let Some(word) = words.iter().find(|word| !fit::is_plain(word)) {
        bail!("`{word}` cannot be part of a key's command");
    }
    Ok(words.join(" "))
}

/// Adds a key, which is refused after `limit`.
///
/// # Errors
/// When the file cannot be written.
pub fn add(user: &str, key: &str, command: &str, word: &str, limit: Duration) -> Result<()> {
    files::public_folder(Path::new(BUILDER_KEYS))?;
    let now = clock::wall();
    let line = line(key, command, word, &calendar::utc(now + limit.as_secs()));
    change(user, |text| format!("{}{line}\n", others(text, word, &calendar::utc(now))))
}

/// Removes a key, and those that have expired.
///
/// # Errors
/// When the file cannot be written.
pub fn remove(user: &str, word: &str) -> Result<()> {
    change(user, |text| others(text, word, &calendar::utc(clock::wall())))
}

/// `restrict` leaves no terminal, no forwarding of any kind and no start-up file of the user.
fn line(key: &str, command: &str, word: &str, expires: &str) -> String {
    format!("restrict,{EXPIRY}{expires}\",command=\"{command}\" {key} {word}")
}

/// The lines of other keys that have not expired.
fn others(text: &str, word: &str, now: &str) -> String {
    let expired = |line: &str| {
        let rest = line.split_once(EXPIRY).map(|(_, rest)| rest);
        rest.and_then(|rest| rest.split('"').next()).is_none_or(|expires| expires < now)
    };
    let is_other = |line: &&str| !line.ends_with(&format!(" {word}")) && !expired(line);
    text.lines().filter(is_other).map(|line| format!("{line}\n")).collect()
}

/// Writes a user's file anew, under the lock of all pushes; a file without keys is removed.
fn change(user: &str, new: impl FnOnce(&str) -> String) -> Result<()> {
    let path = Path::new(BUILDER_KEYS).join(user);
    let write = || -> io::Result<()> {
        let old = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            other => other?,
        };
        let new = new(&old);
        if new.is_empty() {
            return match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        // No user's name begins with a point.
        let unfinished = path.with_file_name(format!(".{user}.new"));
        fs::write(&unfinished, new)?;
        fs::set_permissions(&unfinished, fs::Permissions::from_mode(0o644))?;
        fs::rename(&unfinished, &path)
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_can_do_one_thing_until_one_moment() {
        let line =
            line("ssh-ed25519 AAAA", "/nix/store/x serve --builder w", "w", "20261130084500Z");
        assert_eq!(
            line,
            "restrict,expiry-time=\"20261130084500Z\",command=\"/nix/store/x serve --builder w\" \
             ssh-ed25519 AAAA w"
        );
    }

    #[test]
    fn a_key_goes_alone_and_with_those_that_have_expired() {
        let of =
            |word: &str, expires: &str| line("ssh-ed25519 AAAA", "agent", word, expires) + "\n";
        let now = "20261130084500Z";
        let (lives, old) = (of("a", "20261130084501Z"), of("b", "20261130084459Z"));
        let text = format!("{lives}{old}{}half a line", of("c", "20271130084500Z"));
        assert_eq!(others(&text, "c", now), lives);
        assert_eq!(others(&lives, "a", now), "");
    }
}
