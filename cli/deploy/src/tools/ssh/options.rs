//! The arguments that every `ssh` of `deploy` is started with: what the user's own must not
//! change, then the user's own, then defaults. docs/ssh-config.md is about each option.

use std::ffi::OsString;

use super::words::{Given, NotOptions};
use crate::tools::process::Invocation;

/// What no ssh_config changes, in front of all else: `ssh` takes the first value that it sees.
/// `what_a_user_s_ssh_config_must_not_change_it_does_not` proves each of them.
pub const FIXED: [(&str, &str); 5] = [
    // A forwarding that is bound by the first login fails in the one that confirms.
    ("ClearAllForwardings", "yes"),
    // What it prints would be taken for the machine's answer.
    ("PermitLocalCommand", "no"),
    ("RemoteCommand", "none"),
    // A terminal would echo the requests, and end lines otherwise.
    ("RequestTTY", "no"),
    // Why a login failed is what ssh says; with QUIET it says nothing.
    ("LogLevel", "INFO"),
];

/// The same of newer versions of `ssh`; an older one refuses a word that it does not know.
pub const FIXED_SINCE: [(Version, &str, &str); 4] = [
    (Version(8, 7), "StdinNull", "no"),
    (Version(8, 7), "SessionType", "default"),
    (Version(8, 7), "ForkAfterAuthentication", "no"),
    (Version(9, 7), "ChannelTimeout", "none"),
];

/// What a pinned host key must not be added to; see `pin` in target.rs.
const PINNING_SINCE: (Version, &str) = (Version(8, 5), "KnownHostsCommand=none");

/// Behind the user's own arguments, which beat them; ssh_config does not.
pub const DEFAULTS: [(&str, &str); 3] =
    [("ConnectTimeout", "10"), ("ServerAliveInterval", "5"), ("ServerAliveCountMax", "3")];

/// What ssh_config may lend to every machine that is logged in to: the user's agent, display
/// and network. Root on a machine would have them for the whole deploy, so they are lent only
/// where the arguments say so:
/// `nothing_of_the_operators_computer_is_lent_to_a_machine` proves it.
pub const LENDS_NOTHING: [(&str, &str); 3] =
    [("ForwardAgent", "no"), ("ForwardX11", "no"), ("Tunnel", "no")];

/// `GSSAPIDelegateCredentials no`, for the same reason: an `ssh` without Kerberos warns of the
/// option's name.
pub const NO_TICKETS: &str = "-k";

/// Both, as words.
pub fn args_that_lend_nothing() -> Vec<String> {
    LENDS_NOTHING.iter().flat_map(option).chain([NO_TICKETS.to_owned()]).collect()
}

/// A release of OpenSSH.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32, u32);

impl Version {
    /// Reads `OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.19 …`.
    fn read(said: &str) -> Option<Self> {
        let (_, rest) = said.split_once("OpenSSH_")?;
        let mut numbers = rest.split(|each: char| !each.is_ascii_digit());
        Some(Self(numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }

    /// Of the `ssh` on this computer; `None` where it is no OpenSSH, or is not there.
    async fn here() -> Option<Self> {
        let mut said = String::new();
        Invocation::new("ssh").arg("-V").watched(|line| said.push_str(line)).await.ok()?;
        Self::read(&said)
    }
}

/// What `ssh` is started with besides the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    fixed: Vec<(&'static str, &'static str)>,
    version: Option<Version>,
    given: Vec<String>,
}

impl Options {
    /// Of a machine: its own and those of NIX_SSHOPTS, which nixos-rebuild's and Nix's users
    /// set for their hosts. Gives what is left out of them too, in words for people.
    pub async fn of(opts: &[String]) -> Result<(Self, Vec<String>), NotOptions> {
        let inherited = std::env::var("NIX_SSHOPTS").unwrap_or_default();
        let given = Given::read(opts, &inherited)?;
        let version = Version::here().await;
        Ok((Self { fixed: fixed(version), version, given: given.words }, given.left_out))
    }

    /// What a pinned host key needs of this `ssh`; an older one has no such option.
    pub(super) fn pinning(&self) -> Option<&'static str> {
        let (since, option) = PINNING_SINCE;
        self.version.filter(|version| *version >= since).map(|_| option)
    }

    /// In front of the address.
    pub fn args(&self) -> Vec<OsString> {
        let fixed = self.fixed.iter().flat_map(option);
        let defaults = DEFAULTS.iter().flat_map(option).chain(args_that_lend_nothing());
        fixed.chain(self.given.iter().cloned()).chain(defaults).map(Into::into).collect()
    }

    /// For `ssh` of Nix's over a login that is there. No word has a blank: Nix before 2.26
    /// divides them at blanks.
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
