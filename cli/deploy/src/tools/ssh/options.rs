//! The arguments of every `ssh`: the fixed ones that the user's must not change, the user's own,
//! and the defaults. docs/ssh-config.md explains each option.

use std::ffi::OsString;

use super::words::{Given, NotOptions};
use crate::tools::process::Invocation;

/// The options that ssh_config cannot change. They come first, because `ssh` takes the first value
/// that it sees. `what_a_user_s_ssh_config_must_not_change_it_does_not` proves each of them.
pub const FIXED: [(&str, &str); 5] = [
    // A port that the first login forwards could not be forwarded again by the login that confirms.
    ("ClearAllForwardings", "yes"),
    // Their output would be read as the machine's answer.
    ("PermitLocalCommand", "no"),
    ("RemoteCommand", "none"),
    // A terminal would echo the requests and change line ends.
    ("RequestTTY", "no"),
    // ssh prints why a login failed, but not with QUIET.
    ("LogLevel", "INFO"),
];

/// The same for newer versions of `ssh`. An older version refuses an option that it does not know.
pub const FIXED_SINCE: [(Version, &str, &str); 4] = [
    (Version(8, 7), "StdinNull", "no"),
    (Version(8, 7), "SessionType", "default"),
    (Version(8, 7), "ForkAfterAuthentication", "no"),
    (Version(9, 7), "ChannelTimeout", "none"),
];

/// The option that keeps other keys from being added to a pinned one; see `pin` in target.rs.
const PINNING_SINCE: (Version, &str) = (Version(8, 5), "KnownHostsCommand=none");

/// The options after the user's own arguments, which take precedence. ssh_config does not.
pub const DEFAULTS: [(&str, &str); 3] =
    [("ConnectTimeout", "10"), ("ServerAliveInterval", "5"), ("ServerAliveCountMax", "3")];

/// The options that keep ssh_config from lending the user's agent, display and network to every
/// machine. Root on a machine could use them for the whole deploy, so they are lent only if the
/// arguments ask for it: `nothing_of_the_operators_computer_is_lent_to_a_machine` proves it.
pub const LENDS_NOTHING: [(&str, &str); 3] =
    [("ForwardAgent", "no"), ("ForwardX11", "no"), ("Tunnel", "no")];

/// `GSSAPIDelegateCredentials no`, for the same reason. An `ssh` without Kerberos warns about the
/// long name.
pub const NO_TICKETS: &str = "-k";

/// [`LENDS_NOTHING`] and [`NO_TICKETS`] as arguments.
pub fn args_that_lend_nothing() -> Vec<String> {
    LENDS_NOTHING.iter().flat_map(option).chain([NO_TICKETS.to_owned()]).collect()
}

/// A version of OpenSSH.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32, u32);

impl Version {
    /// Parses `OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.19 …`.
    fn read(said: &str) -> Option<Self> {
        let (_, rest) = said.split_once("OpenSSH_")?;
        let mut numbers = rest.split(|each: char| !each.is_ascii_digit());
        Some(Self(numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }

    /// The version on this computer; `None` if it is not OpenSSH or not installed.
    async fn here() -> Option<Self> {
        let mut said = String::new();
        Invocation::new("ssh").arg("-V").watched(|line| said.push_str(line)).await.ok()?;
        Self::read(&said)
    }
}

/// The arguments of `ssh` except the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    fixed: Vec<(&'static str, &'static str)>,
    version: Option<Version>,
    given: Vec<String>,
}

impl Options {
    /// The options for a machine: its own, and those in NIX_SSHOPTS, which users of nixos-rebuild
    /// and Nix set for their hosts. Also returns a note for each option that is left out.
    pub async fn of(opts: &[String]) -> Result<(Self, Vec<String>), NotOptions> {
        let inherited = std::env::var("NIX_SSHOPTS").unwrap_or_default();
        let given = Given::read(opts, &inherited)?;
        let version = Version::here().await;
        Ok((Self { fixed: fixed(version), version, given: given.words }, given.left_out))
    }

    /// The option that a pinned host key needs, if this version of `ssh` has it.
    pub(super) fn pinning(&self) -> Option<&'static str> {
        let (since, option) = PINNING_SINCE;
        self.version.filter(|version| *version >= since).map(|_| option)
    }

    /// The arguments before the address.
    pub fn args(&self) -> Vec<OsString> {
        let fixed = self.fixed.iter().flat_map(option);
        let defaults = DEFAULTS.iter().flat_map(option).chain(args_that_lend_nothing());
        fixed.chain(self.given.iter().cloned()).chain(defaults).map(Into::into).collect()
    }

    /// The arguments for Nix's `ssh` over an existing login. No argument contains a blank, because
    /// Nix before 2.26 splits at blanks.
    pub fn over_a_login(&self) -> String {
        self.fixed
            .iter()
            .flat_map(option)
            .chain(args_that_lend_nothing())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

fn option((name, value): &(&str, &str)) -> [String; 2] {
    ["-o".to_owned(), format!("{name}={value}")]
}

fn fixed(version: Option<Version>) -> Vec<(&'static str, &'static str)> {
    let newer = FIXED_SINCE.iter().filter(|(since, ..)| version.is_some_and(|it| it >= *since));
    FIXED.into_iter().chain(newer.map(|(_, name, value)| (*name, *value))).collect()
}

#[cfg(test)]
mod tests;
