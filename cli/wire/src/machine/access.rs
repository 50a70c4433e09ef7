//! How a machine is reached, and where its closure is built and travels.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::store_path::StorePath;

/// How to log in to a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ssh {
    /// Name, alias of ssh_config, or address.
    pub hostname: String,
    /// Other names or addresses, tried in turn when `hostname` does not answer.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// The port, or what ssh_config says.
    #[serde(default)]
    pub port: Option<u16>,
    /// The login user, or what ssh_config says.
    #[serde(default)]
    pub user: Option<String>,
    /// More arguments for `ssh`.
    #[serde(default)]
    pub opts: Vec<String>,
    /// The host key, as `ssh-ed25519 AAAA…`; null means known_hosts decides.
    #[serde(default)]
    pub host_key: Option<String>,
}

/// How the login user becomes root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sudo {
    /// The command that a command line is appended to, as `["sudo"]`.
    pub command: Vec<String>,
    /// Whether it asks for a password.
    #[serde(default)]
    pub ask: bool,
}

/// A profile of a deploy-rs flake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// Its name, as `system`.
    pub name: String,
    /// Who owns it.
    pub user: String,
    /// What it activates.
    pub path: StorePath,
    /// What makes it; null for the profile `system`, which `toplevel` makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drv: Option<StorePath>,
    /// The profile link, when the flake sets one.
    #[serde(default)]
    pub profile_path: Option<String>,
    /// Its place in the node's order, from 0.
    #[serde(default)]
    pub order: u32,
    /// What its activation script is.
    pub script: ProfileScript,
}

impl Profile {
    /// The name of the profile that is the machine's system.
    pub const SYSTEM: &str = "system";

    /// Whether it is the machine's system.
    pub fn is_system(&self) -> bool {
        self.name == Self::SYSTEM
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "profile `{}` of {}", self.name, self.user)
    }
}

/// What the activation script of a deploy-rs profile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProfileScript {
    /// The stock `activate.nixos`: `switch-to-configuration` and nothing else.
    Nixos,
    /// Anything else.
    Custom,
}

/// Where the closure is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Build {
    /// The place.
    #[serde(default, rename = "where")]
    pub place: BuildPlace,
}

/// A place to build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum BuildPlace {
    /// Where `deploy` runs, by Nix and the builders that Nix knows.
    #[default]
    Local,
    /// On the machine itself.
    Target,
    /// On another host, named as `ssh` knows it.
    Host(String),
}

impl From<String> for BuildPlace {
    fn from(word: String) -> Self {
        match word.as_str() {
            "local" => Self::Local,
            "target" => Self::Target,
            _ => Self::Host(word),
        }
    }
}

impl From<BuildPlace> for String {
    fn from(place: BuildPlace) -> Self {
        match place {
            BuildPlace::Local => "local".into(),
            BuildPlace::Target => "target".into(),
            BuildPlace::Host(host) => host,
        }
    }
}

/// How the closure travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Push {
    /// Whether the machine first looks for paths in its own substituters.
    #[serde(default = "yes")]
    pub substitute: bool,
    /// Whether SSH compresses the stream.
    #[serde(default)]
    pub compress: bool,
}

impl Default for Push {
    fn default() -> Self {
        Self { substitute: true, compress: false }
    }
}

fn yes() -> bool {
    true
}

/// How the confirmation reaches the new system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Confirm {
    /// The new system's name or address, when it moves.
    #[serde(default)]
    pub hostname: Option<String>,
    /// Its port, when that changes.
    #[serde(default)]
    pub port: Option<u16>,
    /// Its host key, when that changes.
    #[serde(default)]
    pub host_key: Option<String>,
    /// Seconds from the end of the checks until the machine goes back.
    #[serde(default = "confirm_timeout")]
    pub timeout: u64,
    /// Whether a new login has to confirm; `false` is deploy-rs's
    /// `magicRollback = false`, which commits after the checks.
    #[serde(default = "yes")]
    pub required: bool,
}

impl Default for Confirm {
    fn default() -> Self {
        Self { hostname: None, port: None, host_key: None, timeout: 60, required: true }
    }
}

impl Confirm {
    /// The time there is to confirm.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

fn confirm_timeout() -> u64 {
    Confirm::default().timeout
}
