//! What a request to accept a builder must be. Its words become a line of a file that sshd reads, a
//! command line, and names of files.

use anyhow::{Result, ensure};
use deploy_wire::builder_push::{self, BuilderPush};

/// The only kind of key that `deploy` makes for it.
const KIND: &str = "ssh-ed25519";

/// The digits of a SHA-256.
const DIGITS: usize = 64;

/// # Errors
/// What is unfit.
pub fn check(push: &BuilderPush) -> Result<()> {
    ensure!(builder_push::is_word(&push.word), "the word of the push is no word");
    let key = push.key.strip_prefix(KIND).and_then(|rest| rest.strip_prefix(' '));
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let is_key = |key: &str| !key.is_empty() && key.bytes().all(is_base64);
    ensure!(key.is_some_and(is_key), "the one-time key is no {KIND} key");
    ensure!(is_user(&push.user), "`{}` is no name of a user", push.user);
    for word in &push.as_root {
        ensure!(is_plain(word), "`{word}` cannot be part of a key's command");
    }
    let count = push.paths.len();
    ensure!(count > 0, "the push has no paths");
    for path in &push.paths {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_hash = path.hash.len() == DIGITS && path.hash.bytes().all(digit);
        ensure!(is_hash, "the hash of {} is no SHA-256", path.path);
        let is_inside = path.references.iter().all(|at| *at < count);
        ensure!(is_inside, "{} refers to what is not in the list", path.path);
    }
    Ok(())
}

/// A name that is a plain name of a file, and that sshd puts into it as it is.
fn is_user(user: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !user.is_empty() && !user.starts_with(['.', '-']) && user.bytes().all(plain)
}

/// A word that means itself in every login shell, and within the quotes of a key's line.
pub fn is_plain(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/+:,@".contains(&byte);
    !word.is_empty() && word.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push() -> serde_json::Value {
        let asked = include_str!("../../../wire/golden/message/request-accept-builder.json");
        let mut asked: serde_json::Value = serde_json::from_str(asked).unwrap();
        let mut request = asked["request"].take();
        request.as_object_mut().unwrap().remove("do");
        request
    }

    fn refused(field: &str, value: serde_json::Value) -> String {
        let mut push = push();
        *push.pointer_mut(field).unwrap() = value;
        check(&serde_json::from_value(push).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn only_words_that_mean_themselves_become_a_line_of_a_key() {
        check(&serde_json::from_value(push()).unwrap()).unwrap();
        let key = "ssh-ed25519 AAAA\nssh-ed25519 BBBB";
        for other in [key, "ssh-rsa AAAA", "ssh-ed25519 ", "ssh-ed25519 AAAA comment", "AAAA"] {
            assert!(refused("/key", other.into()).contains("no ssh-ed25519 key"), "{other}");
        }
        for other in ["", "..", "../root", "a b", "-x", ".hidden", "a/b", "a\n", "%u"] {
            assert!(refused("/user", other.into()).contains("no name of a user"), "{other}");
        }
        for other in ["", "a\"b", "$(reboot)", "a b", "a;b", "a\n", "%h", "'"] {
            let said = refused("/asRoot/0", other.into());
            assert!(said.contains("part of a key's command"), "{other}: {said}");
        }
        assert!(refused("/word", "../../etc".into()).contains("no word"));
    }

    #[test]
    fn a_list_that_is_not_whole_is_refused() {
        assert!(refused("/paths", serde_json::json!([])).contains("no paths"));
        assert!(refused("/paths/1/references/0", 2.into()).contains("not in the list"));
        for other in ["", "sha256:00", &"g".repeat(64), &"A".repeat(64)] {
            assert!(refused("/paths/0/hash", other.into()).contains("no SHA-256"), "{other}");
        }
    }
}
