//! The encrypted secrets of a system.

use std::{collections::BTreeMap, fs};

use deploy_wire::{
    machine::{Machine, Manifest, Secret},
    store_path::StorePath,
};
use sha2::{Digest as _, Sha256};

use crate::stages::ask::Probed;
use crate::{
    report::SecretChanges,
    tools::{place::Place, shell, ssh::SshError},
};

/// Prints what [`Encrypted::read`] reads.
pub const SCRIPT: &str = include_str!("encrypted.sh");

/// The last part of a path in agenix's script begins behind this.
const GENERATION: &str = "$_agenix_generation/";

/// The secrets of a system.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// The encrypted file of each, by name.
    pub(super) files: BTreeMap<String, String>,
    /// SHA-256 of the files that could be read.
    sums: BTreeMap<String, String>,
}

impl Encrypted {
    async fn of(system: &StorePath, place: &Place) -> Result<Self, SshError> {
        let script = format!("SYSTEM={}; {SCRIPT}", shell::quote(system.as_str()));
        Ok(Self::read(&place.run(&script, "").await?))
    }

    /// The secrets that the flake declares and that exist. The evaluation puts the files into the store
    /// of this computer.
    fn declared_by(machine: &Machine) -> Self {
        let stored = |secret: &&Secret| secret.file.starts_with('/');
        let files: BTreeMap<_, _> = machine
            .secrets
            .iter()
            .filter(stored)
            .map(|secret| (secret.name.clone(), secret.file.clone()))
            .collect();
        let sum = |file: &String| Some((file.clone(), sum(&fs::read(file).ok()?)));
        let sums = files.values().filter_map(sum).collect();
        Self { files, sums }
    }

    /// What the flake's secrets differ in from those of the system that runs; `None` if that is not
    /// known.
    pub async fn compare_with_running(probed: &Probed) -> Option<SecretChanges> {
        let machine = &probed.machine;
        let (Some(runs), Some(_)) = (&probed.facts.runs, &machine.toplevel) else { return None };
        let before = Self::of(runs, &probed.place).await.ok()?;
        Some(super::changed(&before, &Self::declared_by(machine), &machine.secrets))
    }

    pub fn read(text: &str) -> Self {
        let mut manifest = None;
        let (mut files, mut sums) = (BTreeMap::new(), BTreeMap::new());
        for line in text.lines() {
            let Some((word, rest)) = line.split_once(' ') else { continue };
            match word {
                "@manifest" => manifest = serde_json::from_str(rest).ok(),
                "@agenix" => {
                    if let Some((file, path)) = rest.split_once(' ') {
                        files.insert(name_in(path).to_owned(), file.to_owned());
                    }
                }
                "@file" => {
                    if let Some((sum, file)) = rest.split_once("  ") {
                        sums.insert(file.to_owned(), sum.to_owned());
                    }
                }
                _ => {}
            }
        }
        if let Some(manifest) = manifest.and_then(|json| Manifest::from_json(json).ok()) {
            let stored = manifest.secrets.into_iter().filter(|secret| secret.file.starts_with('/'));
            files = stored.map(|secret| (secret.name, secret.file)).collect();
        }
        Self { files, sums }
    }

    /// Whether two systems have the same file for a secret. A file in another path may say the same:
    /// the path of a whole source changes with every commit.
    pub(super) fn is_same(&self, other: &Self, name: &str) -> bool {
        let (Some(own), Some(others)) = (self.files.get(name), other.files.get(name)) else {
            return false;
        };
        let sums = self.sums.get(own).zip(other.sums.get(others));
        own == others || sums.is_some_and(|(own, others)| own == others)
    }
}

/// The name of a secret, from where agenix's script puts it.
fn name_in(path: &str) -> &str {
    let at = path.find(GENERATION).map(|at| at + GENERATION.len());
    match at {
        Some(at) => &path[at..],
        None => path.rsplit('/').next().unwrap_or(path),
    }
}

fn sum(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encrypted(files: &[(&str, &str)], sums: &[(&str, &str)]) -> Encrypted {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        Encrypted { files: map(files), sums: map(sums) }
    }

    /// Runs the script on a folder that looks like a system of agenix's own module.
    fn listed(files: &[(&str, &str)]) -> Encrypted {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text.replace("@root@", root.to_str().unwrap())).unwrap();
        }
        let script = format!("SYSTEM={}; {SCRIPT}", root.display());
        let output = std::process::Command::new("/bin/sh").args(["-uc", &script]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        Encrypted::read(&text.replace(root.to_str().unwrap(), "@root@"))
    }

    /// As agenix writes it (modules/age.nix), by its own words.
    const AGENIX: &str = r#"
    _truePath="/run/agenix.d/$_agenix_generation/web/token"

    echo "decrypting '@root@/token.age' to '$_truePath'..."
    TMP_FILE="$_truePath.tmp"
      _truePath="/var/lib/key"
      echo "decrypting '@root@/key.age' to '$_truePath'..."
    "#;

    #[test]
    fn without_a_manifest_agenix_s_script_says_what_it_decrypts() {
        let token = sum(b"one");
        let found = listed(&[("activate", AGENIX), ("token.age", "one")]);
        let expected = encrypted(
            &[("web/token", "@root@/token.age"), ("key", "@root@/key.age")],
            &[("@root@/token.age", &token)],
        );
        assert_eq!(found, expected);
        let unit = "etc/systemd/system/agenix-install-secrets.service";
        let by_unit = listed(&[
            (unit, "[Service]\nExecStart=@root@/script\n"),
            ("script", AGENIX),
            ("token.age", "one"),
        ]);
        assert_eq!(by_unit, expected);
        assert_eq!(listed(&[("activate", "#!/bin/sh\n")]), Encrypted::default());
        assert_eq!(listed(&[]), Encrypted::default());
    }

    #[test]
    fn a_manifest_counts_before_the_script_and_has_what_exists() {
        let full = include_str!("../../../../../../wire/golden/machine/full.json");
        let full: serde_json::Value = serde_json::from_str(full).unwrap();
        let manifest = serde_json::json!({
            "version": 1, "checks": [], "rollback": { "services": {} }, "beforeActivate": [],
            "secrets": full["secrets"],
        });
        let manifest = manifest.to_string();
        let found = listed(&[("etc/deploy-agent/manifest.json", &manifest), ("activate", AGENIX)]);
        let names: Vec<_> = found.files.keys().collect();
        assert_eq!(names, ["cloudflare"]);
    }

    #[test]
    fn what_the_flake_declares_is_read_here() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.age");
        fs::write(&file, "one").unwrap();
        let full = include_str!("../../../../../../wire/golden/machine/full.json");
        let mut machine = Machine::from_json(serde_json::from_str(full).unwrap()).unwrap();
        machine.secrets[0].file = file.display().to_string();
        let found = Encrypted::declared_by(&machine);
        let file = file.to_str().unwrap();
        assert_eq!(found, encrypted(&[("cloudflare", file)], &[(file, &sum(b"one"))]));
    }
}
