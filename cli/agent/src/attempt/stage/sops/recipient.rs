//! The recipients of a file of sops, and those that a machine's keys are.

use std::{collections::BTreeSet, fs};

use base64ct::{Base64, Encoding as _};
use bech32::{FromBase32 as _, ToBase32 as _, Variant};
use curve25519_dalek::{edwards::CompressedEdwardsY, montgomery::MontgomeryPoint};
use zeroize::Zeroizing;

/// The length of a recipient: `age1`, and 32 bytes with their checksum in letters of five bits.
const LENGTH: usize = 62;

/// The keys that can decrypt a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recipients {
    /// Recipients of age: `age1…`, and public keys of SSH as `ssh-ed25519 AAAA…`.
    pub ages: BTreeSet<String>,
    /// Whether there are keys of another kind: GnuPG, or a cloud's.
    pub others: bool,
}

impl Recipients {
    /// Reads them from the text. sops writes them in clear text in each of its formats.
    pub fn read(text: &str) -> Self {
        let is_letter = |c: char| c.is_ascii_alphanumeric();
        let words = text.split(|c| !is_letter(c));
        let ages = words.filter(|word| word.starts_with("age1") && word.len() == LENGTH);
        let of_ssh = text.match_indices("ssh-ed25519 ").filter_map(|(at, start)| {
            let key = text[at + start.len()..].split(|c: char| c.is_whitespace() || c == '"');
            Some(format!("{start}{}", key.into_iter().next()?))
        });
        let others = ["arn:aws:kms", "vault_address", "vault_url", "resource_id", "-----BEGIN PGP"];
        Self {
            ages: ages.map(str::to_owned).chain(of_ssh).collect(),
            others: others.iter().any(|other| text.contains(other)),
        }
    }
}

/// What an ed25519 key of SSH is as a recipient: as it is, and converted as ssh-to-age does. Nothing
/// for other keys.
pub fn of_ssh_key(public: &str) -> Vec<String> {
    let mut words = public.split_whitespace();
    let (Some("ssh-ed25519"), Some(key)) = (words.next(), words.next()) else { return Vec::new() };
    let converted = || {
        let blob = Base64::decode_vec(key).ok()?;
        // A length and the name, then a length and the key.
        let key: [u8; 32] = blob.get(19..)?.try_into().ok()?;
        let point = CompressedEdwardsY(key).decompress()?.to_montgomery();
        encode(point.as_bytes())
    };
    converted().into_iter().chain([format!("ssh-ed25519 {key}")]).collect()
}

/// The recipients of a file with age's own private keys.
pub fn of_age_file(path: &str) -> Vec<String> {
    let text = Zeroizing::new(fs::read_to_string(path).unwrap_or_default());
    text.lines().filter_map(|line| of_age_key(line.trim())).collect()
}

fn of_age_key(line: &str) -> Option<String> {
    let (prefix, data, _) = bech32::decode(line).ok().filter(|_| line.starts_with("AGE-SECRET"))?;
    let key = Zeroizing::new(Vec::<u8>::from_base32(&data).ok()?);
    if prefix != "age-secret-key-" {
        return None;
    }
    let key: Zeroizing<[u8; 32]> = Zeroizing::new(key.as_slice().try_into().ok()?);
    encode(MontgomeryPoint::mul_base_clamped(*key).as_bytes())
}

fn encode(key: &[u8]) -> Option<String> {
    bech32::encode("age", key.to_base32(), Variant::Bech32).ok()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// A public key, and the recipient that its private half is as a key of age: X25519 of SHA-512 of
    /// the seed, which Python's `cryptography` computed.
    const SSH: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFwJKQ8ubpGdebhLXo5WQow+J6EAfSuDux2xKkW3yBXy";
    const SSH_AS_AGE: &str = "age1fkl9yz5kfg4d38ss5caj5qfsnq6m98agvnf5cm6nln39w3lrz5hsgpskmu";

    #[test]
    fn a_key_of_ssh_s_is_what_ssh_to_age_makes_of_it() {
        assert_eq!(of_ssh_key(SSH)[0], SSH_AS_AGE);
        for other in ["", "ssh-rsa AAAA", "ssh-ed25519", "ssh-ed25519 !!", "ssh-ed25519 AAAA"] {
            let found = of_ssh_key(other);
            assert!(found.iter().all(|each| !each.starts_with("age1")), "{found:?}");
        }
    }

    #[test]
    fn a_key_of_age_s_own_is_its_recipient() {
        let Ok(made) = Command::new("age-keygen").output() else {
            println!("skipped: age-keygen is not installed");
            return;
        };
        let text = String::from_utf8(made.stdout).unwrap();
        let public = text.lines().find_map(|line| line.split_once("public key: ")).unwrap().1;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        fs::write(&file, &text).unwrap();
        assert_eq!(of_age_file(file.to_str().unwrap()), [public]);
        assert!(of_age_file("/no/such/file").is_empty());
    }

    #[test]
    fn recipients_are_read_in_each_format() {
        let a = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
        for text in [
            format!("token: ENC[AES256_GCM,data:x]\nsops:\n    age:\n        - recipient: {a}\n"),
            format!("{{\"data\":\"x\",\"sops\":{{\"age\":[{{\"recipient\":\"{a}\"}}]}}}}"),
            format!("x=ENC[]\nsops_age__list_0__map_recipient={a}\n"),
        ] {
            let found = Recipients::read(&text);
            assert_eq!((found.ages.len(), found.others), (1, false), "{text}");
            assert!(found.ages.contains(a));
        }
        let ssh = Recipients::read("- recipient: ssh-ed25519 AAAAC3\n  enc: |\n");
        assert!(ssh.ages.contains("ssh-ed25519 AAAAC3"));
        assert!(Recipients::read("pgp:\n - enc: |\n  -----BEGIN PGP MESSAGE-----").others);
        assert_eq!(Recipients::read("age1short"), Recipients::default());
    }
}
