//! Checks that this machine can decrypt the new system's secrets, with the keys on its disk and
//! with the new closure's own `age`.

use std::{
    fs,
    panic::resume_unwind,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use deploy_wire::{
    machine::{Machine, Secret},
    message::{Refusal, RefusalKind},
};

use super::refusal::refuse_with;
use crate::tools::age;

/// Tries to decrypt every secret, several at the same time. Returns a note about secrets that need a
/// person.
pub fn try_to_decrypt(machine: &Machine) -> Result<Option<String>, Refusal> {
    let tried = in_parallel(&machine.secrets, try_one);
    let failed: Vec<&SecretError> = tried.iter().filter_map(|tried| tried.as_ref().err()).collect();
    if let Some(first) = failed.first() {
        let more = match failed.len() - 1 {
            0 => String::new(),
            1 => " (and another secret)".into(),
            count => format!(" (and {count} more secrets)"),
        };
        let (why, hint) = first.told(&machine.name);
        return Err(refuse_with(RefusalKind::Secret, why + &more, hint));
    }
    let untried: Vec<&str> = machine
        .secrets
        .iter()
        .zip(&tried)
        .filter(|(_, tried)| **tried == Ok(Tried::NeedsAPerson))
        .map(|(secret, _)| secret.name.as_str())
        .collect();
    Ok((!untried.is_empty()).then(|| {
        format!(
            "not known whether these secrets can be decrypted, as a key of theirs wants a PIN, a \
             passphrase or a touch: {}",
            untried.join(", ")
        )
    }))
}

/// What came of an attempt to decrypt a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tried {
    Decrypted,
    /// A hardware key, a PIN or a passphrase: the agent must not wait for a person.
    NeedsAPerson,
}

/// Why a secret cannot be decrypted.
#[derive(Debug, PartialEq, Eq)]
enum SecretError {
    NoFile { name: String, file: String },
    NoKey { name: String, keys: String },
    NotDecrypted { name: String, said: String },
}

impl SecretError {
    /// The reason, and what mends it.
    fn told(&self, machine: &str) -> (String, String) {
        match self {
            Self::NoFile { name, file } => (
                format!("secret {name}: {file} does not exist"),
                "make it: deploy secrets new, and git add it".into(),
            ),
            Self::NoKey { name, keys } => (
                format!("secret {name}: none of its keys is on the machine ({keys})"),
                "put one there, or name another in age.identityPaths".into(),
            ),
            Self::NotDecrypted { name, said } => (
                format!("secret {name} cannot be decrypted on the machine: {said}"),
                format!(
                    "encrypt it for the machine's key: deploy secrets rekey; if that key is a new \
                     one, before: deploy secrets recipients add {machine} --from-host"
                ),
            ),
        }
    }
}

fn try_one(secret: &Secret) -> Result<Tried, SecretError> {
    let name = secret.name.clone();
    if !Path::new(&secret.file).exists() {
        return Err(SecretError::NoFile { name, file: secret.file.clone() });
    }
    let identities = readable(&secret.identity_paths);
    if identities.is_empty() {
        return Err(SecretError::NoKey { name, keys: secret.identity_paths.join(", ") });
    }
    let (alone, with_a_person): (Vec<&str>, Vec<&str>) =
        identities.into_iter().partition(|path| age::works_alone(path));
    let tried = match alone.is_empty() {
        true => Err("it was not tried".to_owned()),
        false => age::decrypts(secret, &alone),
    };
    match tried {
        Ok(()) => Ok(Tried::Decrypted),
        Err(_) if !with_a_person.is_empty() => Ok(Tried::NeedsAPerson),
        Err(said) => Err(SecretError::NotDecrypted { name, said }),
    }
}

/// The results in the order of the items, with a thread for each processor.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            match items.get(at) {
                Some(item) => done.push((at, work(item))),
                None => return done,
            }
        }
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let begun: Vec<_> = (0..threads).map(|_| scope.spawn(take)).collect();
        begun
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
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
    fn results_are_in_order_and_all_there() {
        let numbers: Vec<u32> = (0..100).collect();
        assert_eq!(
            in_parallel(&numbers, |number| number * 2),
            (0..200).step_by(2).collect::<Vec<_>>()
        );
        assert!(in_parallel(&[] as &[u32], |number| *number).is_empty());
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
        let both = vec![of("four", "age", &["plain"]), of("six", "age", &["plain"])];
        let refusal = try_to_decrypt(&machine(both)).unwrap_err();
        assert!(refusal.why.starts_with("secret four "), "{}", refusal.why);
        assert!(refusal.why.ends_with("no match (and another secret)"), "{}", refusal.why);
        assert_eq!(try_to_decrypt(&machine(vec![of("five", "fitting", &["plain"])])), Ok(None));
    }
}
