//! Checks that services declare and a deploy must pass.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One check, run on the machine after the switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Check {
    /// A name that no other check of the machine has.
    pub name: String,
    /// The service that declares it.
    pub service: String,
    /// Whether it decides.
    #[serde(default)]
    pub level: Level,
    /// Seconds after the switch in which it may still fail.
    #[serde(default)]
    pub grace: u64,
    /// What is checked.
    pub kind: CheckKind,
}

impl Check {
    /// How long after the switch it may still fail.
    pub fn grace(&self) -> Duration {
        Duration::from_secs(self.grace)
    }
}

/// Whether a check decides over a deploy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// It must pass, else the machine goes back.
    #[default]
    Required,
    /// It is watched and reported, also after the commit.
    Advisory,
    /// `advisory` until it has passed in an attempt that was committed on this machine,
    /// and `required` from then on.
    RequiredOncePassed,
}

/// What a check looks at. Addresses are numeric: the agent is static and does
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
        /// The unit, as `caddy.service`.
        unit: String,
    },
    /// A TCP port accepts a connection.
    Tcp {
        /// Numeric address.
        address: String,
        /// Port.
        port: u16,
    },
    /// A web server answers as expected.
    Http {
        /// Numeric address to connect to.
        address: String,
        /// Port.
        port: u16,
        /// The `Host` header; null means the address.
        #[serde(default)]
        host: Option<String>,
        /// Speak TLS with this server name; null means plain HTTP.
        #[serde(default)]
        sni: Option<String>,
        /// The path with query, as `/health`.
        #[serde(default = "root_path")]
        path: String,
        /// The status that is expected.
        #[serde(default = "ok_status")]
        status: u16,
        /// Text that the body must contain.
        #[serde(default)]
        contains: Option<String>,
    },
    /// A TLS server shows a certificate of an issuer.
    Certificate {
        /// Numeric address to connect to.
        address: String,
        /// Port.
        port: u16,
        /// The server name to ask for.
        sni: String,
        /// Text that the issuer's name must contain.
        issuer: String,
    },
    /// A command ends with status 0.
    Command {
        /// Program and arguments; no shell.
        argv: Vec<String>,
    },
}

fn root_path() -> String {
    "/".into()
}

fn ok_status() -> u16 {
    200
}
