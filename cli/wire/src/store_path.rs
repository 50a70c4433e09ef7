//! Store paths, validated when they are parsed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A path directly below `/nix/store`: 32 characters of Nix's base 32, a dash, and a name. The
/// rules are those of Nix's `StorePath` (`src/libstore/path.cc`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StorePath(String);

/// Why a string is not a store path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a store path: {1}")]
pub struct NotAStorePath(String, &'static str);

const STORE: &str = "/nix/store/";
const HASH_LENGTH: usize = 32;
const NAME_LIMIT: usize = 211;

impl StorePath {
    /// Parses a store path. A path below a store path is rejected.
    pub fn parse(path: &str) -> Result<Self, NotAStorePath> {
        let refuse = |why| NotAStorePath(path.to_owned(), why);
        let base = path.strip_prefix(STORE).ok_or_else(|| refuse("it is not in /nix/store"))?;
        let (hash, name) = base
            .split_at_checked(HASH_LENGTH)
            .ok_or_else(|| refuse("its hash is not 32 characters"))?;
        if !hash.bytes().all(is_base32) {
            return Err(refuse("its hash is not in Nix's base 32"));
        }
        let name = name.strip_prefix('-').ok_or_else(|| refuse("no dash follows its hash"))?;
        if name.is_empty() || name.len() > NAME_LIMIT || name == "." || name == ".." {
            return Err(refuse("its name is empty, too long or a dot"));
        }
        if !name.bytes().all(is_name_byte) {
            return Err(refuse("its name has a character that Nix does not allow"));
        }
        Ok(Self(path.to_owned()))
    }

    /// The store path that `path` is or is below: `/nix/store/…-x` for `/nix/store/…-x/init`.
    pub fn containing(path: &str) -> Result<Self, NotAStorePath> {
        let base = path.strip_prefix(STORE).unwrap_or_default();
        let end = base.find('/').map_or(path.len(), |slash| STORE.len() + slash);
        Self::parse(&path[..end])
    }

    /// The whole path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name after the hash, as `nixos-system-frame1-25.11`.
    pub fn name(&self) -> &str {
        &self.0[STORE.len() + HASH_LENGTH + 1..]
    }

    /// The hash, which distinguishes two paths of the same name.
    pub fn hash(&self) -> &str {
        &self.0[STORE.len()..STORE.len() + HASH_LENGTH]
    }
}

fn is_base32(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'z') && !matches!(byte, b'e' | b'o' | b't' | b'u')
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_' | b'?' | b'=')
}

impl fmt::Display for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<std::path::Path> for StorePath {
    fn as_ref(&self) -> &std::path::Path {
        self.0.as_ref()
    }
}

impl TryFrom<String> for StorePath {
    type Error = NotAStorePath;
    fn try_from(path: String) -> Result<Self, NotAStorePath> {
        Self::parse(&path)
    }
}

impl From<StorePath> for String {
    fn from(path: StorePath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-foo";

    #[test]
    fn accepts_what_nix_accepts() {
        for name in ["foo", "foo-1.2.drv", "a?b=c+d_e", ".hidden"] {
            let path = format!("/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-{name}");
            assert_eq!(StorePath::parse(&path).unwrap().name(), name);
        }
    }

    #[test]
    fn refuses_what_nix_refuses() {
        for path in [
            "",
            "/nix/store/",
            "/nix/store/foo",
            "/nix/store/ztttttttttttttttttttttttttttttttt-foo",
            "/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q",
            "/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-",
            "/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-a b",
            "/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-a/b",
            "/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-$(id)",
            "/tmp/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-foo",
        ] {
            assert!(StorePath::parse(path).is_err(), "{path} was accepted");
        }
    }

    #[test]
    fn finds_the_path_that_contains_a_file() {
        assert_eq!(StorePath::containing(&format!("{HELLO}/init")).unwrap().as_str(), HELLO);
        assert_eq!(StorePath::containing(HELLO).unwrap().as_str(), HELLO);
        assert!(StorePath::containing("/etc/passwd").is_err());
    }
}
