//! The confirmed system of a machine, which is its last commit.

use serde::{Deserialize, Serialize};

use crate::{attempt::AttemptId, machine::Revision, store_path::StorePath};

/// The last committed system, kept at `/nix/var/deploy-agent/confirmed.json`. A machine without
/// this file was never deployed to, and its running system is the baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Confirmed {
    /// The [`crate::sealed::VERSION`] that the file was written with.
    pub version: u32,
    /// The committed system.
    pub toplevel: StorePath,
    /// The attempt that committed it.
    pub attempt: AttemptId,
    /// Seconds since 1970 on the machine's clock. It is shown to people and decides nothing.
    pub at: u64,
    /// The profile generation that holds the system.
    #[serde(default)]
    pub generation: Option<u64>,
    /// The name of the machine in the flake that deployed it.
    pub machine: String,
    /// The machine's `/etc/machine-id`, to recognise the wrong machine.
    pub machine_id: String,
    /// The machine's public SSH host keys. They recognise a machine whose root is new at each boot,
    /// and whose machine-id therefore changes.
    #[serde(default)]
    pub host_keys: Vec<String>,
    /// The flake's revision at the commit.
    #[serde(default)]
    pub revision: Option<Revision>,
}

/// What identifies a machine from one deploy to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// `/etc/machine-id`; empty where there is none.
    pub machine_id: String,
    /// Public SSH host keys, as `TYPE KEY`.
    pub host_keys: Vec<String>,
}

impl Confirmed {
    /// Whether this file was written on the machine `here`. Either the machine-id or one host key
    /// is enough: a root that is new at each boot changes the machine-id, and a reinstalled machine
    /// may keep its host keys.
    pub fn is_of(&self, here: &Identity) -> bool {
        self.machine_id == here.machine_id
            || self.host_keys.iter().any(|key| here.host_keys.contains(key))
    }

    /// Describes how the other machine differs from this one.
    pub fn describe_other_machine(&self, here: &Identity) -> String {
        let keys = if self.host_keys.is_empty() { "" } else { ", nor do its SSH host keys agree" };
        format!(
            "the record on its disk is of a machine with the id {}, this one has {}{keys}",
            self.machine_id, here.machine_id
        )
    }
}

/// The hint for a file that another machine wrote.
pub const ANOTHER_MACHINE: &str = "if the disk was moved here on purpose, move the record away there: \
     mv /nix/var/deploy-agent/confirmed.json /nix/var/deploy-agent/confirmed.json.old\n\
     if its /etc/machine-id is new at each boot, keep that file or the SSH host keys over boots";

/// The public keys in the texts of key files. Each line is `TYPE KEY COMMENT`.
pub fn host_keys(text: &str) -> Vec<String> {
    let key = |line: &str| {
        let mut words = line.split_whitespace();
        Some(format!("{} {}", words.next()?, words.next()?))
    };
    let mut keys: Vec<String> = text.lines().filter_map(key).collect();
    keys.sort();
    keys.dedup();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_known_by_its_id_or_by_a_host_key() {
        let confirmed: Confirmed =
            serde_json::from_str(include_str!("../golden/message/confirmed.json")).unwrap();
        let key = confirmed.host_keys[0].clone();
        let here = |machine_id: &str, keys: &[&str]| Identity {
            machine_id: machine_id.into(),
            host_keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        };
        assert!(confirmed.is_of(&here(&confirmed.machine_id, &[])));
        assert!(confirmed.is_of(&here("new", &["ssh-rsa B", &key])));
        assert!(!confirmed.is_of(&here("new", &["ssh-rsa B"])));
        assert!(!confirmed.is_of(&here("", &[])));
        // A file that was written before host keys were kept.
        let old = Confirmed { host_keys: Vec::new(), ..confirmed };
        assert!(!old.is_of(&here("new", &[&key])));
    }

    #[test]
    fn keys_are_read_without_their_comments() {
        let text = "ssh-rsa B root@frame1\nssh-ed25519 A\n\nssh-rsa B\nnonsense\n";
        assert_eq!(host_keys(text), ["ssh-ed25519 A", "ssh-rsa B"]);
    }
}
