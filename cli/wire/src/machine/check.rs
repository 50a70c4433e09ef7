//! The checks that services declare.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One check, which the agent runs on the machine after the switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Check {
    /// The name, unique on the machine.
    pub name: String,
    /// The service that declares it.
    pub service: String,
    /// Whether the check decides.
    #[serde(default)]
    pub level: Level,
    /// Seconds after the switch during which the check may fail.
    #[serde(default)]
    pub grace: u64,
    /// What the check looks at.
    pub kind: CheckKind,
}

impl Check {
    /// How long the check may fail after the switch.
    pub fn grace(&self) -> Duration {
        Duration::from_secs(self.grace)
    }
}

/// Whether a check decides over the deploy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The check must pass, or the machine rolls back.
    #[default]
    Required,
    /// The check is watched and reported, also after the commit.
    Advisory,
    /// The check is `advisory` until it has passed in an attempt that was committed on this
    /// machine. It is `required` from then on.
    RequiredOncePassed,
}

/// What a check looks at. Addresses are numeric, because the agent is linked statically and does
/// not resolve names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields,
    tag = "type"
)]
pub enum CheckKind {
    /// A systemd unit is active.
    Unit {
        /// The unit's name, as `caddy.service`.
        unit: String,
    },
    /// A TCP port accepts a connection.
    Tcp {
        /// The numeric address.
        address: String,
        /// The port.
        port: u16,
    },
    /// A web server answers as expected.
    Http {
        /// Numeric address to connect to.
        address: String,
        /// The port.
        port: u16,
        /// The `Host` header; null means the address.
        #[serde(default)]
        host: Option<String>,
        /// The server name for TLS; null means plain HTTP.
        #[serde(default)]
        sni: Option<String>,
        /// The path with its query, as `/health`.
        #[serde(default = "root_path")]
        path: String,
        /// The expected status.
        #[serde(default = "ok_status")]
        status: u16,
        /// A text that the body must contain.
        #[serde(default)]
        contains: Option<String>,
    },
    /// A TLS server shows a certificate of the given issuer.
    Certificate {
        /// Numeric address to connect to.
        address: String,
        /// The port.
        port: u16,
        /// The server name to ask for (SNI).
        sni: String,
        /// A text that the issuer's name must contain.
        issuer: String,
    },
    /// A file exists, is not empty, and has the given mode, owner and group.
    File {
        /// The absolute path. Links are followed.
        path: String,
        /// The permissions in octal, as `0400`; null means any. A word that is not octal, as chmod
        /// understands it (`u=r`), is not compared.
        #[serde(default)]
        mode: Option<String>,
        /// The owner's name or number; null means any.
        #[serde(default)]
        owner: Option<String>,
        /// The group's name or number; null means any.
        #[serde(default)]
        group: Option<String>,
    },
    /// A command ends with status 0.
    Command {
        /// The program and its arguments; no shell is involved.
        argv: Vec<String>,
    },
}

fn root_path() -> String {
    "/".into()
}

fn ok_status() -> u16 {
    200
}
