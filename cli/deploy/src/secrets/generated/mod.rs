//! Secrets that make themselves.

mod hashes;
mod keys;

use deploy_wire::machine::{Generator, GeneratorKind};
use zeroize::Zeroizing;

pub use keys::ssh as ssh_key;

/// What was made: the secret, and what everybody may know of it.
pub struct Generated {
    /// The secret's text.
    pub text: Zeroizing<Vec<u8>>,
    /// The public half of a key.
    pub public: Option<String>,
    /// The password of a hash, which becomes a secret of its own.
    pub password: Option<Zeroizing<Vec<u8>>>,
}

impl Generated {
    /// A secret that has nothing beside it.
    pub fn alone(text: Zeroizing<Vec<u8>>) -> Self {
        Self { text, public: None, password: None }
    }
}

/// Makes a secret; `None` where a program is to make it. The error says what is wrong with the
/// declaration.
pub fn generate(by: &Generator) -> Result<Option<Generated>, String> {
    let alone = |text: Zeroizing<String>| Generated::alone(bytes(&text));
    Ok(Some(match by.kind {
        GeneratorKind::Random => alone(letters(by)?),
        GeneratorKind::Hex => alone(hex(&random(by.length)?)),
        GeneratorKind::Uuid => alone(uuid()?),
        GeneratorKind::SshKey => keys::ssh()?,
        GeneratorKind::AgeKey => keys::age(),
        GeneratorKind::Wireguard => keys::wireguard()?,
        GeneratorKind::Htpasswd => hashes::htpasswd(by)?,
        GeneratorKind::Argon2 => hashes::argon2(by)?,
        GeneratorKind::Command => return Ok(None),
    }))
}

fn bytes(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.as_bytes().to_vec())
}

fn random(count: u32) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut bytes = Zeroizing::new(vec![0; count as usize]);
    getrandom::fill(&mut bytes).map_err(|error| format!("no random numbers: {error}"))?;
    Ok(bytes)
}

/// Each letter of the alphabet is as likely as each other: numbers beyond the last whole round of
/// it are thrown away.
fn letters(by: &Generator) -> Result<Zeroizing<String>, String> {
    let mut alphabet: Vec<char> = by.alphabet.chars().collect();
    alphabet.sort_unstable();
    alphabet.dedup();
    let count = alphabet.len();
    if !(2..=256).contains(&count) || by.length == 0 {
        return Err("its generator has no length, or less than two letters".into());
    }
    let whole = 256 - 256 % count;
    let mut text = Zeroizing::new(String::with_capacity(by.length as usize * 4));
    let mut left = by.length;
    while left > 0 {
        for byte in random(left)?.iter().map(|byte| usize::from(*byte)) {
            if byte < whole && left > 0 {
                text.push(alphabet[byte % count]);
                left -= 1;
            }
        }
    }
    Ok(text)
}

fn hex(bytes: &[u8]) -> Zeroizing<String> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
    text
}

/// Version 4: random but for the version and the variant.
fn uuid() -> Result<Zeroizing<String>, String> {
    let mut bytes = random(16)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex(&bytes);
    let mut text = Zeroizing::new(String::with_capacity(36));
    for (at, digit) in digits.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn by(declared: serde_json::Value) -> Generator {
        serde_json::from_value(declared).unwrap()
    }

    fn made(declared: serde_json::Value) -> String {
        let made = generate(&by(declared)).unwrap().unwrap();
        String::from_utf8(made.text.to_vec()).unwrap()
    }

    #[test]
    fn each_kind_is_of_its_form_and_never_the_same_twice() {
        let default = made(json!({ "kind": "random" }));
        assert_eq!(default.len(), 32);
        assert!(default.chars().all(|c| c.is_ascii_alphanumeric()), "{default}");
        let few = made(json!({ "kind": "random", "length": 4000, "alphabet": "abc" }));
        for letter in ['a', 'b', 'c'] {
            let count = few.matches(letter).count();
            assert!((1100..1600).contains(&count), "{count} of {letter}");
        }
        let hex = made(json!({ "kind": "hex", "length": 20 }));
        assert!(hex.len() == 40 && hex.chars().all(|c| c.is_ascii_hexdigit()), "{hex}");
        let uuid = made(json!({ "kind": "uuid" }));
        let parts: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{uuid}");
        assert_eq!(&uuid[14..15], "4");
        for kind in
            ["random", "hex", "uuid", "ssh-key", "age-key", "wireguard", "argon2", "htpasswd"]
        {
            let made = || made(json!({ "kind": kind, "user": "joe" }));
            assert_ne!(made(), made(), "{kind}");
        }
        assert!(generate(&by(json!({ "kind": "command" }))).unwrap().is_none());
        let one_letter = by(json!({ "kind": "random", "alphabet": "aaa" }));
        assert!(generate(&one_letter).is_err());
    }
}
