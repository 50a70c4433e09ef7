//! Checks that this machine can decrypt the new system's secrets, with the keys on its disk and
//! with the new closure's own `age`.

use std::{fs, path::Path};

use deploy_wire::{
    machine::Secret,
    message::{Refusal, RefusalKind},
};

use super::refusal::refuse_with;
use crate::tools::age;

/// Tries to decrypt every secret. Returns a note about secrets that need a person.
pub fn try_to_decrypt(secrets: &[Secret]) -> Result<Option<String>, Refusal> {
    let mut untried = Vec::new();
    for secret in secrets {
        let name = &secret.name;
        if !Path::new(&secret.file).exists() {
            let why = format!("secret {name}: {} does not exist", secret.file);
            let hint = "make it: deploy secrets new, and git add it";
            return Err(refuse_with(RefusalKind::Secret, why, hint));
        }
        let identities = readable(&secret.identity_paths);
        if identities.is_empty() {
            let why = format!(
                "secret {name}: none of its keys is on the machine ({})",
                secret.identity_paths.join(", ")
            );
            let hint = "put one there, or name another in age.identityPaths";
            return Err(refuse_with(RefusalKind::Secret, why, hint));
        }
        // A hardware key, a PIN or a passphrase needs a person. The agent must not wait for one.
        let (alone, with_a_person): (Vec<&str>, Vec<&str>) =
            identities.into_iter().partition(|path| age::works_alone(path));
        let tried = match alone.is_empty() {
            true => Err("it was not tried".to_owned()),
            false => age::decrypts(secret, &alone),
        };
        if let Err(said) = tried {
            if !with_a_person.is_empty() {
                untried.push(name.as_str());
                continue;
            }
            let why = format!("secret {name} cannot be decrypted on the machine: {said}");
            let hint = "encrypt it for the machine's key too (deploy secrets rekey)";
            return Err(refuse_with(RefusalKind::Secret, why, hint));
        }
    }
    Ok((!untried.is_empty()).then(|| {
        format!(
            "not known whether these secrets can be decrypted, as a key of theirs wants a PIN, a \
             passphrase or a touch: {}",
            untried.join(", ")
        )
    }))
}

/// The key files that exist and are not empty, as agenix selects them.
fn readable(paths: &[String]) -> Vec<&str> {
    let not_empty = |path: &&String| fs::metadata(path).is_ok_and(|found| found.len() > 0);
    paths.iter().filter(not_empty).map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// A secret whose `age` is this piece of shell; `$*` has the arguments.
    fn secret(name: &str, folder: &Path, age: &str, identities: &[&str]) -> Secret {
        let path = |file: &&str| folder.join(file).display().to_string();
        Secret {
            name: name.into(),
            file: path(&"secret.age"),
            path: "/run/agenix/x".into(),
            mode: "0400".into(),
            owner: "root".into(),
            group: "root".into(),
            identity_paths: identities.iter().map(path).collect(),
            age_bin: format!("sh {}", path(&age)),
            restart_units: Vec::new(),
            hint: String::new(),
            generator: None,
        }
    }

    #[test]
    fn a_secret_whose_key_wants_a_person_is_noted_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("secret.age", "x");
        write("plain", "AGE-SECRET-KEY-1QQ\n");
        write("in-the-hand", "#  Serial: 1\nAGE-PLUGIN-YUBIKEY-1QQ\n");
        // The output of age when nobody touches the key. The plain key does not fit.
        write(
            "age",
            "case $* in *in-the-hand*) sleep 60 ;; esac; echo 'age: error: no match' >&2; exit 1",
        );
        write("fitting", "case $* in *in-the-hand*) sleep 60 ;; *) exit 0 ;; esac");
        let of = |name: &str, age: &str, keys: &[&str]| secret(name, folder.path(), age, keys);
        let began = Instant::now();
        let secrets = [
            of("one", "age", &["in-the-hand"]),
            of("two", "age", &["plain", "in-the-hand"]),
            of("three", "fitting", &["plain", "in-the-hand"]),
        ];
        let note = try_to_decrypt(&secrets).unwrap().unwrap();
        assert!(note.ends_with(": one, two"), "{note}");
        assert!(began.elapsed().as_secs() < 20);
        let refusal = try_to_decrypt(&[of("four", "age", &["plain"])]).unwrap_err();
        assert!(
            refusal.why.ends_with("cannot be decrypted on the machine: no match"),
            "{}",
            refusal.why
        );
        assert_eq!(try_to_decrypt(&[of("five", "fitting", &["plain"])]), Ok(None));
    }
}
