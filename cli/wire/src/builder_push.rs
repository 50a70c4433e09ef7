//! What a builder is to send straight to the machine, which the agent accepts for this push alone.

use serde::{Deserialize, Serialize};

use crate::store_path::StorePath;

/// The hexadecimal digits of a push's word.
const WORD: usize = 32;

/// A push from a builder, which logs in with a one-time key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BuilderPush {
    /// The random word of this push, 32 hexadecimal digits. Nix's processes for it on the machine
    /// have it in their environment.
    pub word: String,
    /// The public half of the one-time key: its kind and the key, without a comment.
    pub key: String,
    /// The user that the builder logs in as, who is the operator's.
    pub user: String,
    /// The words before the agent's command that make this user root; none for root.
    pub as_root: Vec<String>,
    /// Every path that may come, with all that it refers to.
    pub paths: Vec<PushedPath>,
}

/// A path of a push, as the builder's Nix has registered it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PushedPath {
    /// The path.
    pub path: StorePath,
    /// The SHA-256 of its archive, in hexadecimal digits.
    pub hash: String,
    /// The bytes of its archive.
    pub size: u64,
    /// What it refers to: places in the list of the push, from 0.
    pub references: Vec<usize>,
}

/// Whether a word can be that of a push. It becomes part of a file's name and of a command line.
pub fn is_word(word: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    word.len() == WORD && word.bytes().all(digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_nothing_but_digits() {
        assert!(is_word("0123456789abcdef0123456789abcdef"));
        for other in
            ["", "0123", "0123456789ABCDEF0123456789abcdef", "../../../../../../../etc/passwd00"]
        {
            assert!(!is_word(other), "{other}");
        }
    }
}
