//! An attempt's id, its operator, its login, and its mode.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Eight hexadecimal digits. The operator chooses the id before anything is sent, so that a lost
/// reply can be requested again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AttemptId(String);

/// The text is not an attempt id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid attempt id `{0}` (expected 8 hexadecimal digits)")]
pub struct NotAnAttempt(String);

impl AttemptId {
    /// Formats four random bytes as an id.
    pub fn from_random(bytes: [u8; 4]) -> Self {
        Self(format!("{:08x}", u32::from_be_bytes(bytes)))
    }

    /// Parses an id. Files and units on the machine are named after it, so anything but eight
    /// hexadecimal digits is rejected.
    pub fn parse(text: &str) -> Result<Self, NotAnAttempt> {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 8 && text.bytes().all(digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnAttempt(text.to_owned()))
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for AttemptId {
    type Error = NotAnAttempt;
    fn try_from(text: String) -> Result<Self, NotAnAttempt> {
        Self::parse(&text)
    }
}

impl From<AttemptId> for String {
    fn from(id: AttemptId) -> Self {
        id.0
    }
}

/// The person who makes the attempt. A second operator is shown this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Operator {
    /// The login name on the operator's computer.
    pub user: String,
    /// The name of the operator's computer.
    pub host: String,
}

/// One SSH connection over TCP as sshd sees it: the four fields of `SSH_CONNECTION`. Two logins are
/// different connections if any field differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Login {
    /// The client's IP address.
    pub client: String,
    /// The client's port.
    pub client_port: u16,
    /// The machine's IP address.
    pub server: String,
    /// The machine's port.
    pub server_port: u16,
}

impl Login {
    /// Parses the value of `SSH_CONNECTION`; `None` unless it has four valid fields.
    pub fn parse(ssh_connection: &str) -> Option<Self> {
        let mut words = ssh_connection.split_whitespace();
        let login = Self {
            client: words.next()?.to_owned(),
            client_port: words.next()?.parse().ok()?,
            server: words.next()?.to_owned(),
            server_port: words.next()?.parse().ok()?,
        };
        words.next().is_none().then_some(login)
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.client, self.client_port)
    }
}

/// How far an attempt goes: switch, test or boot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Switch, check, confirm, and make it the boot default.
    #[default]
    Switch,
    /// Switch, check and confirm, but leave the boot default as it is.
    Test,
    /// Make it the boot default without switching. The promise does not cover this mode, because
    /// nothing has tried whether the system boots.
    Boot,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_eight_hexadecimal_digits() {
        assert_eq!(AttemptId::from_random([0, 0x7f, 3, 0xa0]).as_str(), "007f03a0");
        for wrong in ["", "7f3a", "../../x", "7F3A0000", "7f3a00000"] {
            assert!(AttemptId::parse(wrong).is_err(), "{wrong} was accepted");
        }
    }

    #[test]
    fn a_login_is_four_words() {
        let login = Login::parse("fe80::1 50000 10.0.0.2 22").unwrap();
        assert_eq!((login.client.as_str(), login.client_port), ("fe80::1", 50000));
        assert_eq!(Login::parse("a b c d"), None);
        assert_eq!(Login::parse(""), None);
    }
}
