//! sops-nix's manifest: `sops-install-secrets MANIFEST` in the activation, or in a unit.

use std::{fs, path::Path};

use deploy_wire::store_path::StorePath;
use serde::Deserialize;

const PROGRAM: &str = "/bin/sops-install-secrets ";

/// What the manifest says of keys and secrets. It has more, and differs between versions.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SopsManifest {
    pub secrets: Vec<SopsSecret>,
    /// A file with age's own keys.
    pub age_key_file: Option<String>,
    /// SSH keys that are used as keys of age.
    pub age_ssh_key_paths: Vec<String>,
    /// SSH keys that are used as keys of GnuPG.
    pub ssh_key_paths: Vec<String>,
    pub gnupg_home: Option<String>,
}

impl SopsManifest {
    /// Whether a file may be decrypted by GnuPG.
    pub fn has_gpg(&self) -> bool {
        self.gnupg_home.is_some() || !self.ssh_key_paths.is_empty()
    }
}

/// One secret.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SopsSecret {
    pub name: String,
    pub path: String,
    pub mode: String,
    #[serde(rename = "sopsFile")]
    pub file: String,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    uid: Option<u32>,
    #[serde(default)]
    gid: Option<u32>,
}

impl SopsSecret {
    /// The owner's name, or the number where there is no name.
    pub fn owner(&self) -> Option<String> {
        self.owner.clone().or_else(|| self.uid.map(|uid| uid.to_string()))
    }

    /// The group's name, or the number where there is no name.
    pub fn group(&self) -> Option<String> {
        self.group.clone().or_else(|| self.gid.map(|gid| gid.to_string()))
    }
}

/// The manifests of a system: one, and one more if secrets are needed for users.
pub fn of_system(system: &StorePath) -> Vec<SopsManifest> {
    of_folder(Path::new(system.as_str()))
}

fn of_folder(system: &Path) -> Vec<SopsManifest> {
    let read = |path: &Path| {
        fs::read(path).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
    };
    let units = system.join("etc/systemd/system");
    let unit = |name: &str| units.join(format!("{name}.service"));
    let texts = [
        system.join("activate"),
        unit("sops-install-secrets"),
        unit("sops-install-secrets-for-users"),
    ];
    let mut files: Vec<String> = texts.iter().flat_map(|path| named_in(&read(path))).collect();
    files.sort();
    files.dedup();
    let manifest = |file: &String| serde_json::from_str(&read(Path::new(file))).ok();
    files.iter().filter_map(manifest).collect()
}

/// The manifests that a script or unit hands to the program.
fn named_in(text: &str) -> Vec<String> {
    let calls = text.lines().filter_map(|line| line.split_once(PROGRAM));
    let words = calls.flat_map(|(_, rest)| rest.split_whitespace());
    let words = words.map(|word| word.trim_matches(['"', '\'']));
    words.filter(|word| word.ends_with(".json")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_found_in_the_activation_and_in_units() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |name: &str, text: &str| {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert!(of_folder(root).is_empty());
        let manifest = r#"{ "secrets": [
            { "name": "token", "key": "token", "path": "/run/secrets/token", "mode": "0440",
              "owner": null, "uid": 7, "group": "web", "gid": 0, "sopsFile": "/x.yaml",
              "format": "yaml", "restartUnits": [] } ],
            "ageKeyFile": null, "ageSshKeyPaths": ["/etc/ssh/ssh_host_ed25519_key"],
            "sshKeyPaths": [], "gnupgHome": null, "useTmpfs": false }"#;
        write("manifest.json", manifest);
        let users = r#"{ "secrets": [], "ageKeyFile": "/key" }"#;
        write("manifest-for-users.json", users);
        let at = root.display();
        write("activate", &format!("x\n  FOO=1 /s{PROGRAM}{at}/manifest.json || true\n"));
        let unit = "etc/systemd/system/sops-install-secrets-for-users.service";
        write(unit, &format!("ExecStart=/s{PROGRAM}-ignore-passwd {at}/manifest-for-users.json\n"));
        let found = of_folder(root);
        let [users, all] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(users.age_key_file.as_deref(), Some("/key"));
        let secret = &all.secrets[0];
        assert_eq!(secret.owner().as_deref(), Some("7"));
        assert_eq!(secret.group().as_deref(), Some("web"));
        assert!(!all.has_gpg());
    }
}
