//! The keys for logins: the operator's key on the hosts, and the hosts' keys on the operator's
//! computer. ssh checks host keys with its default options.

use anyhow::{Context, Result};

use crate::hosts::host::Host;

const KEY: &str = "/root/.ssh/id_ed25519";
const KNOWN_HOSTS: &str = "/root/.ssh/known_hosts";
const HOST_KEY: &str = "/etc/ssh/ssh_host_ed25519_key.pub";

/// The users on a host who accept the operator's key, with their home folders.
const ACCEPTING: [(&str, &str); 3] =
    [("root", "/root"), ("admin", "/home/admin"), ("askadmin", "/home/askadmin")];

/// Lets root of `operator` log in to `host` as root, admin and askadmin, and adds the host's key to
/// `operator`. Both must have booted once.
///
/// # Errors
/// When a file cannot be read or written.
pub fn connect(operator: &Host, host: &Host) -> Result<()> {
    authorize(host, &operator_key(operator)?)?;
    know(operator, host)
}

/// The public key of root on `operator`. A missing key is generated.
///
/// # Errors
/// When `operator` is off and has no key.
pub fn operator_key(operator: &Host) -> Result<String> {
    let public = format!("{KEY}.pub");
    if !operator.root().join(&public[1..]).exists() {
        let script = format!("ssh-keygen -q -t ed25519 -N '' -C operator -f {KEY}");
        operator.sh(&script)?;
    }
    operator.read(&public)
}

/// Lets `key` log in to `host` in addition to the present keys.
///
/// # Errors
/// When a file cannot be written.
pub fn authorize(host: &Host, key: &str) -> Result<()> {
    ACCEPTING.into_iter().try_for_each(|(user, home)| authorize_for(host, user, home, key))
}

/// Lets `key` log in to `host` as one user.
///
/// # Errors
/// When there is no such person, or a file cannot be written.
pub fn authorize_for(host: &Host, user: &str, home: &str, key: &str) -> Result<()> {
    let folder = format!("{home}/.ssh");
    let file = format!("{folder}/authorized_keys");
    let before = host.read(&file).unwrap_or_default();
    host.write(&file, format!("{before}{}\n", key.trim()), 0o600)?;
    host.sh(&format!("chown {user}: {folder} {file}")).map(drop)
}

/// Adds the key of `host` to `operator`'s known hosts, for the host's name and address and for
/// those of a relay in front of it. Older entries for these names are removed.
///
/// # Errors
/// When `host` has no key yet.
pub fn know(operator: &Host, host: &Host) -> Result<()> {
    let key = host_key(host)?;
    let name = host.name();
    let also = host.also().map_or_else(String::new, |also| format!(",{also}"));
    let names = format!("{name},{},{name}-far,{}{also}", host.address(), host.far());
    let before = operator.read(KNOWN_HOSTS).unwrap_or_default();
    let mut known: String = before
        .lines()
        .filter(|line| !line.starts_with(&names))
        .fold(String::new(), |all, line| all + line + "\n");
    known += &format!("{names} {key}\n");
    operator.write(KNOWN_HOSTS, known, 0o600)
}

/// The public key of `host`: its kind and the key, without a comment.
///
/// # Errors
/// When it has none yet.
pub fn host_key(host: &Host) -> Result<String> {
    let key = host.read(HOST_KEY)?;
    let mut words = key.split_whitespace();
    let (kind, key) = words.next().zip(words.next()).context("an empty host key")?;
    Ok(format!("{kind} {key}"))
}
