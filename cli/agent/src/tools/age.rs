//! The `age` of the new system's closure, as agenix calls it.

use std::{fs, process::Command, time::Duration};

use deploy_wire::machine::Secret;

use super::{command::path, process};

const LIMIT: Duration = Duration::from_secs(20);

/// The line of age's output with the reason. The last line only says where to report errors.
fn reason(said: &str) -> Option<&str> {
    said.lines().find_map(|line| line.split_once("rror: ").map(|(_, reason)| reason))
}

/// The first lines of encrypted key files.
const ENCRYPTED: [&str; 2] = ["age-encryption.org/", "-----BEGIN AGE ENCRYPTED FILE-----"];
/// The prefix of ssh-keygen's private keys, and what follows it in a key without a passphrase.
const OPENSSH: (&str, &str) = ("b3BlbnNzaC1rZXktdjEA", "AAAABG5vbmU");

/// Whether a key works without a person. A key with a passphrase does not, nor does a plugin, which
/// may ask for a PIN or a touch.
pub fn works_alone(identity: &str) -> bool {
    let text = fs::read(identity).unwrap_or_default();
    works_alone_as(&String::from_utf8_lossy(&text))
}

fn works_alone_as(text: &str) -> bool {
    let text = text.trim_start();
    let is_encrypted = ENCRYPTED.iter().any(|start| text.starts_with(start));
    let has = |word: &str| text.lines().any(|line| line.trim().starts_with(word));
    let openssh = text.lines().find_map(|line| line.trim().strip_prefix(OPENSSH.0));
    let has_passphrase = openssh.is_some_and(|rest| !rest.starts_with(OPENSSH.1));
    !is_encrypted && !has_passphrase && !has("Proc-Type: 4,ENCRYPTED") && !has("AGE-PLUGIN-")
}

/// Decrypts a secret and discards the result. `age_bin` may be a shell fragment (`PATH=… rage`), so
/// a shell runs it, as in agenix's own script. The file names are passed as arguments. The error is
/// the output of age.
pub fn decrypts(secret: &Secret, identities: &[&str]) -> Result<(), String> {
    let script = format!("{} --decrypt \"$@\" > /dev/null", secret.age_bin);
    let mut command = Command::new(process::find("sh", &[]));
    command.args(["-c", &script, "age"]).current_dir("/").env("PATH", path());
    for identity in identities {
        command.args(["-i", identity]);
    }
    command.arg(&secret.file);
    match process::run(&mut command, LIMIT) {
        Ok(ran) if ran.succeeded() => Ok(()),
        Ok(ran) => Err(reason(&ran.err).unwrap_or_else(|| ran.last_words()).to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_want_a_person_are_told_from_those_that_do_not() {
        let openssh = |rest: &str| {
            format!("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA{rest}\n")
        };
        for (text, alone) in [
            ("# created: x\nAGE-SECRET-KEY-1QQ\n".to_owned(), true),
            (openssh("AAAABG5vbmUAAAAEbm9uZQAAAAAAAAAB"), true),
            // aes256-ctr
            (openssh("AAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0"), false),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n".into(), true),
            ("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n".into(), false),
            ("age-encryption.org/v1\n-> scrypt".into(), false),
            ("-----BEGIN AGE ENCRYPTED FILE-----\n".into(), false),
            ("#  Serial: 1, Slot: 1\nAGE-PLUGIN-YUBIKEY-1QQ\n".into(), false),
        ] {
            assert_eq!(works_alone_as(&text), alone, "{text}");
        }
    }
}
