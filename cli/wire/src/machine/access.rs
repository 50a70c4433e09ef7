//! How to reach a machine, where to build its closure, and how to push it.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::store_path::StorePath;

/// How to log in to a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ssh {
    /// A name, an alias of ssh_config, or an address.
    pub hostname: String,
    /// Other names or addresses. `deploy` tries them in turn when `hostname` does not answer.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// The port; null means that ssh_config decides.
    #[serde(default)]
    pub port: Option<u16>,
    /// The login user; null means that ssh_config decides.
    #[serde(default)]
    pub user: Option<String>,
    /// Additional arguments for `ssh`.
    #[serde(default)]
    pub opts: Vec<String>,
    /// The host key, as `ssh-ed25519 AAAA…`; null means that known_hosts decides.
    #[serde(default)]
    pub host_key: Option<String>,
}

/// How the login user becomes root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sudo {
    /// The command that the agent's command line is appended to, as `["sudo"]`.
    pub command: Vec<String>,
    /// Whether the command asks for a password.
    #[serde(default)]
    pub ask: bool,
}

/// A profile that a flake in deploy-rs's format declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// The profile's name, as `system`.
    pub name: String,
    /// The user who owns the profile.
    pub user: String,
    /// The store path that is activated.
    pub path: StorePath,
    /// The derivation of `path`; null for the profile `system`, which `toplevel` builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drv: Option<StorePath>,
    /// The profile link, if the flake sets one.
    #[serde(default)]
    pub profile_path: Option<String>,
    /// The profile's position in the node's order, from 0.
    #[serde(default)]
    pub order: u32,
    /// The kind of its activation script.
    pub script: ProfileScript,
}

impl Profile {
    /// The name of the profile that is the machine's system.
    pub const SYSTEM: &str = "system";

    /// Whether this profile is the machine's system.
    pub fn is_system(&self) -> bool {
        self.name == Self::SYSTEM
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "profile `{}` of {}", self.name, self.user)
    }
}

/// The kind of a deploy-rs profile's activation script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProfileScript {
    /// The standard `activate.nixos`, which runs `switch-to-configuration` and nothing else.
    Nixos,
    /// Any other script.
    Custom,
}

/// Where the closure is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Build {
    /// The place to build at.
    #[serde(default, rename = "where")]
    pub place: BuildPlace,
}

/// A place to build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum BuildPlace {
    /// On the operator's computer, by Nix and the builders that Nix knows.
    #[default]
    Local,
    /// On the machine itself.
    Target,
    /// On another host, by the name that `ssh` knows.
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

/// How the closure is pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Push {
    /// Whether the machine asks its own substituters first.
    #[serde(default = "yes")]
    pub substitute: bool,
    /// How the stream is compressed.
    #[serde(default)]
    pub compress: Compress,
}

impl Default for Push {
    fn default() -> Self {
        Self { substitute: true, compress: Compress::Auto }
    }
}

/// How the stream of a push is compressed: `"auto"`, `"never"`, or a level of zstd's, 1 to 19.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Json", into = "Json")]
pub enum Compress {
    /// At the level that keeps the line full.
    #[default]
    Auto,
    /// Not at all.
    Never,
    /// At this level.
    Level(u8),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Json {
    Level(u8),
    Word(String),
}

impl TryFrom<Json> for Compress {
    type Error = String;

    fn try_from(json: Json) -> Result<Self, String> {
        match json {
            Json::Word(word) if word == "auto" => Ok(Self::Auto),
            Json::Word(word) if word == "never" => Ok(Self::Never),
            Json::Level(level @ 1..=19) => Ok(Self::Level(level)),
            Json::Level(level) => Err(format!("there is no level {level}: 1 to 19")),
            Json::Word(word) => Err(format!("`{word}` is not auto, never, or a level of 1 to 19")),
        }
    }
}

impl From<Compress> for Json {
    fn from(compress: Compress) -> Self {
        match compress {
            Compress::Auto => Self::Word("auto".into()),
            Compress::Never => Self::Word("never".into()),
            Compress::Level(level) => Self::Level(level),
        }
    }
}

fn yes() -> bool {
    true
}

/// How the operator's confirming login reaches the new system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Confirm {
    /// The new system's name or address, if it changes.
    #[serde(default)]
    pub hostname: Option<String>,
    /// The new system's port, if it changes.
    #[serde(default)]
    pub port: Option<u16>,
    /// The new system's host key, if it changes.
    #[serde(default)]
    pub host_key: Option<String>,
    /// Seconds from the end of the checks to the rollback.
    #[serde(default = "confirm_timeout")]
    pub timeout: u64,
    /// Whether a new login must confirm. `false` is deploy-rs's `magicRollback = false`: the agent
    /// commits after the checks.
    #[serde(default = "yes")]
    pub required: bool,
}

impl Default for Confirm {
    fn default() -> Self {
        Self { hostname: None, port: None, host_key: None, timeout: 60, required: true }
    }
}

impl Confirm {
    /// How long the agent waits for the confirmation.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

fn confirm_timeout() -> u64 {
    Confirm::default().timeout
}
