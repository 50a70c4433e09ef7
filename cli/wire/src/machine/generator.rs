//! How a secret that nobody has made yet can make itself.

use serde::{Deserialize, Serialize};

/// What makes a secret's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Generator {
    /// What it is to be.
    pub kind: GeneratorKind,
    /// Letters of a random one, bytes of a hexadecimal one.
    #[serde(default = "length")]
    pub length: u32,
    /// The letters of a random one.
    #[serde(default = "alphabet")]
    pub alphabet: String,
    /// The program that prints it, with its arguments.
    #[serde(default)]
    pub command: Vec<String>,
    /// The user of a line for htpasswd.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The secret that gets the password of a hash in clear text; `NAME-password` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// What a generated secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GeneratorKind {
    /// Random letters.
    Random,
    /// Random bytes, as hexadecimal digits.
    Hex,
    /// A random UUID.
    Uuid,
    /// A private key of SSH's.
    SshKey,
    /// A private key of age's.
    AgeKey,
    /// A private key of WireGuard's.
    Wireguard,
    /// A user and the bcrypt hash of a password, as htpasswd writes them.
    Htpasswd,
    /// The argon2id hash of a password, as a PHC string.
    Argon2,
    /// What a program prints.
    Command,
}

fn length() -> u32 {
    32
}

fn alphabet() -> String {
    ('A'..='Z').chain('a'..='z').chain('0'..='9').collect()
}
