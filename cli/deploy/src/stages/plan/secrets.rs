//! Declared secrets that do not exist yet. It is pure.

use std::path::Path;

use deploy_wire::machine::{Machine, Secret};

use crate::error::{Failure, Result};

/// Refuses a machine with missing secrets before the build. The failure names each one and what
/// belongs into it.
pub fn refuse_unmade(machine: &Machine) -> Result<()> {
    let missing = missing(machine);
    let Some(first) = missing.first() else { return Ok(()) };
    let name = &machine.name;
    let what = match missing.len() {
        1 => format!("a secret of {name} was never made"),
        count => format!("{count} secrets of {name} were never made"),
    };
    let failure = Failure::unchanged(what);
    let failure = missing.iter().fold(failure, |failure, secret| failure.because(line(secret)));
    let folder = Path::new(&first.file).parent().unwrap_or(Path::new(".")).display();
    if !first.file.ends_with(".age") {
        return Err(failure.hint(Some(format!("make them, then git add {folder}"))));
    }
    Err(failure.hint(Some(format!(
        "make them: deploy secrets new {name}; then git add {folder}; {folder}/secrets.nix says who \
         can read them"
    ))))
}

/// The secrets without an encrypted file. An existing file is in the store.
pub fn missing(machine: &Machine) -> Vec<&Secret> {
    machine.secrets.iter().filter(|secret| Path::new(&secret.file).is_relative()).collect()
}

/// A missing secret as a line.
pub fn line(secret: &Secret) -> String {
    let Secret { name, file, hint, .. } = secret;
    let hint = if hint.is_empty() { String::new() } else { format!(": {hint}") };
    format!("missing secret {name} ({file}){hint}")
}

#[cfg(test)]
mod tests {
    use deploy_wire::machine::Machine;
    use serde_json::{Value, json};

    use super::refuse_unmade;

    fn secret(name: &str, file: &str, hint: &str) -> Value {
        json!({
            "name": name, "file": file, "hint": hint, "path": "/run/x", "mode": "0400",
            "owner": "root", "group": "root", "identityPaths": [], "ageBin": "age",
        })
    }

    fn machine(secrets: &[Value]) -> Machine {
        let path = "/nix/store/00000000000000000000000000000000-x";
        Machine::from_json(json!({
            "version": 1, "name": "frame1", "system": "x86_64-linux",
            "toplevel": { "drv": format!("{path}.drv"), "out": path },
            "ssh": { "hostname": "frame1" }, "secrets": secrets,
        }))
        .unwrap()
    }

    #[test]
    fn every_secret_that_was_never_made_is_named() {
        let stored = secret("a", "/nix/store/00000000000000000000000000000000-a.age", "");
        assert!(refuse_unmade(&machine(&[])).is_ok());
        assert!(refuse_unmade(&machine(std::slice::from_ref(&stored))).is_ok());
        let b = secret("b", "secrets/b.age", "a word");
        let c = secret("c", "secrets/c.age", "");
        let refused = refuse_unmade(&machine(&[stored, b, c])).unwrap_err();
        assert_eq!(refused.what, "2 secrets of frame1 were never made");
        assert_eq!(
            refused.causes,
            ["missing secret b (secrets/b.age): a word", "missing secret c (secrets/c.age)"]
        );
        let of_sops = refuse_unmade(&machine(&[secret("d", "secrets/d.sops", "")])).unwrap_err();
        assert_eq!(of_sops.hint.unwrap(), "make them, then git add secrets");
        let hint = refused.hint.unwrap();
        assert!(
            hint.starts_with("make them: deploy secrets new frame1; then git add sec"),
            "{hint}"
        );
    }
}
