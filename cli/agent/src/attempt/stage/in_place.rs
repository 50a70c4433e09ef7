//! Which secrets a system puts in place, by its own word.

use std::{fs, path::Path};

use deploy_wire::{machine::Secret, store_path::StorePath};

use super::manifest;

/// The secrets that a system puts in place when it is activated: those of its manifest, or of the
/// script of agenix. `deploy rollback` may ask with the secrets of a newer flake, and a system must
/// not go back because it lacks these:
/// `a-plain-flake-with-agenix-has-its-secrets-checked-on-real-nixos` proves it.
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
