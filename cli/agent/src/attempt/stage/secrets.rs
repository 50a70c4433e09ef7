//! Checks that this machine can decrypt the new system's secrets, with the keys on its disk and
//! with the new closure's own `age`.

use std::{fs, path::Path};

use deploy_wire::{
    machine::{Machine, Secret},
    message::{Refusal, RefusalKind},
    store_path::StorePath,
};

use super::{manifest, refusal::refuse_with};
use crate::tools::age;

/// Tries to decrypt every secret. Returns a note about secrets that need a person.
pub fn try_to_decrypt(machine: &Machine) -> Result<Option<String>, Refusal> {
    let mut untried = Vec::new();
    for secret in &machine.secrets {
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
            let hint = format!(
                "encrypt it for the machine's key: deploy secrets rekey; if that key is a new one, \
                 before: deploy secrets recipients add {} --from-host",
                machine.name
            );
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

/// The secrets that a system puts in place when it is activated: those of its manifest, or of the
/// script of agenix. `deploy rollback` may ask with the secrets of a newer flake, and a system must
/// not go back because it lacks these:
/// `a-rollback-is-decided-by-the-checks-and-secrets-of-its-generation` proves it.
pub fn put_in_place(wanted: &StorePath, secrets: &[Secret]) -> Vec<Secret> {
    let manifest = manifest::read(wanted).ok().flatten();
    let own = manifest.map(|manifest| manifest.secrets).unwrap_or_default();
    let script = agenix_script(Path::new(wanted.as_str()));
    let has = |secret: &&Secret| {
        own.iter().any(|own| own.file == secret.file)
            || script.contains(&format!("'{}'", secret.file))
    };
    secrets.iter().filter(has).cloned().collect()
}

/// The text in which agenix names each file that it decrypts. It is a part of the activation, or,
/// where a unit makes the users, a unit's script.
fn agenix_script(system: &Path) -> String {
    let read = |path: &Path| {
        fs::read(path).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
    };
    let activation = read(&system.join("activate"));
    let unit = read(&system.join("etc/systemd/system/agenix-install-secrets.service"));
    let script = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart=")?.split(' ').next())
        .map(|path| read(Path::new(path)));
    activation + &script.unwrap_or_default()
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
    fn agenix_names_what_it_decrypts_in_the_activation_or_in_a_unit() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(agenix_script(folder.path()), "");
        write("activate", "echo \"decrypting '/a.age' to x\"\n");
        write("script", "echo \"decrypting '/b.age' to x\"\n");
        let script = folder.path().join("script");
        let unit = format!("[Service]\nExecStart={} \n", script.display());
        write("etc/systemd/system/agenix-install-secrets.service", &unit);
        let script = agenix_script(folder.path());
        assert!(script.contains("'/a.age'") && script.contains("'/b.age'"), "{script}");
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
        let machine = |secrets: Vec<Secret>| {
            let full = include_str!("../../../../wire/golden/machine/full.json");
            let full = Machine::from_json(serde_json::from_str(full).unwrap()).unwrap();
            Machine { secrets, ..full }
        };
        let secrets = vec![
            of("one", "age", &["in-the-hand"]),
            of("two", "age", &["plain", "in-the-hand"]),
            of("three", "fitting", &["plain", "in-the-hand"]),
        ];
        let note = try_to_decrypt(&machine(secrets)).unwrap().unwrap();
        assert!(note.ends_with(": one, two"), "{note}");
        assert!(began.elapsed().as_secs() < 20);
        let refusal = try_to_decrypt(&machine(vec![of("four", "age", &["plain"])])).unwrap_err();
        assert!(
            refusal.why.ends_with("cannot be decrypted on the machine: no match"),
            "{}",
            refusal.why
        );
        assert!(refusal.hint.unwrap().contains("recipients add frame1 --from-host"));
        assert_eq!(try_to_decrypt(&machine(vec![of("five", "fitting", &["plain"])])), Ok(None));
    }
}
