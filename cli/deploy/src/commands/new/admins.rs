//! The keys of those who may log in: the set `admins` of the file with the fleet's keys.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::ask::NotAnswered;
use crate::{
    error::{Failure, Result},
    question::ask_for_line,
    report::Report,
    scaffold::{answers, fleet_call::FleetCall},
    secrets::{
        keys::{self, KeySet},
        recipient::Recipient,
        written,
    },
};

/// The name of the set.
const SET: &str = "admins";

/// The key that is taken if none is named.
const USUAL: &str = "~/.ssh/id_ed25519.pub";

/// The file with the admins' keys, and the key that it gets if it has none.
pub struct Admins {
    /// The file.
    pub file: PathBuf,
    /// What is in it, and what it is to have; nothing if it has keys.
    change: Option<(String, String)>,
}

impl Admins {
    /// Finds the file. Without a key in it nobody could log in to the machine: then `key` is put there,
    /// or the key of a file that is asked for.
    pub async fn find(
        fleet: &FleetCall,
        key: Option<&Path>,
        report: &Report,
    ) -> std::result::Result<Self, NotAnswered> {
        let file = fleet.machines.join("keys.nix");
        let refused = || Failure::unchanged("nobody could log in to the machine");
        let shown = fleet.shown(&file);
        let text = fs::read_to_string(&file).map_err(|error| {
            refused().because(format!("{shown}: {error}")).hint(Some(format!(
                "put your public key into {shown}: {{ admins.you = \"ssh-ed25519 …\"; machines = {{ }}; }}"
            )))
        })?;
        let is_ours = |set: &KeySet| set.path.as_slice() == [SET];
        if keys::bindings(&text).iter().any(|binding| binding.path[0] == SET) {
            return Ok(Self { file, change: None });
        }
        let Some(set) = keys::sets(&text).into_iter().find(is_ours) else {
            return Err(refused()
                .because(format!("{shown} has no set `{SET}`"))
                .hint(Some(format!("add it to {shown}: {SET}.you = \"ssh-ed25519 …\";")))
                .into());
        };
        let key = match key {
            Some(key) => key.to_owned(),
            None => asked(&shown, report).await?,
        };
        let line = public(&key).map_err(|why| {
            refused()
                .because(format!("{}: {why}", key.display()))
                .hint(Some("--admin-key FILE, a public key of SSH's as id_ed25519.pub".into()))
        })?;
        let user = std::env::var("USER").ok().and_then(|user| answers::user(&user).ok());
        let after = keys::added(&text, &set, user.as_deref().unwrap_or("admin"), &line);
        Ok(Self { file, change: Some((text, after)) })
    }

    /// The file as a path from a machine's folder.
    pub fn path_for_machine(&self, fleet: &FleetCall) -> String {
        let file = self.file.strip_prefix(&fleet.machines).unwrap_or(&self.file);
        format!("../{}", file.display())
    }

    /// Writes the key, if there is one to write; what is given puts the file back.
    pub fn write(&self) -> std::io::Result<bool> {
        let Some((_, after)) = &self.change else { return Ok(false) };
        written::stage(&self.file, after.as_bytes()).and_then(written::StagedFile::name)?;
        Ok(true)
    }

    /// Takes the key out again, unless somebody has written the file meanwhile.
    pub fn put_back(&self) {
        if let Some((before, after)) = &self.change
            && fs::read_to_string(&self.file).is_ok_and(|text| text == *after)
        {
            let _ =
                written::stage(&self.file, before.as_bytes()).and_then(written::StagedFile::name);
        }
    }
}

async fn asked(shown: &str, report: &Report) -> std::result::Result<PathBuf, NotAnswered> {
    let question = format!("{shown} has no key of an admin. Your public key");
    let answer = report.while_asking(ask_for_line(&question, USUAL)).await.map_err(|error| {
        let refused = Failure::unchanged("nobody could log in to the machine")
            .because(format!("{shown} has no key in `{SET}`, and could not ask for one: {error}"))
            .hint(Some(format!("--admin-key {USUAL}")));
        NotAnswered::Nobody(refused)
    })?;
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    Ok(match answer.strip_prefix("~/") {
        Some(inside) => home.join(inside),
        None => PathBuf::from(answer),
    })
}

/// The public key in a file. A private key is refused: it must not get into a repository.
fn public(file: &Path) -> std::result::Result<String, String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    if text.contains("PRIVATE KEY") {
        return Err("it is a private key".into());
    }
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    let line = line.ok_or("it is empty")?;
    match Recipient::parse(line)? {
        _ if line.starts_with("age") => {
            Err("it is a key of age's, with which nobody logs in".into())
        }
        _ => Ok(line.to_owned()),
    }
}

/// Where the private half of a machine's key is to be readable: by the admins, in the words of the
/// rules in `folder`.
pub fn readers(file: &Path, folder: &Path) -> Result<String> {
    let up = folder.ancestors().position(|above| file.starts_with(above)).unwrap_or_default();
    let above = folder.ancestors().nth(up).unwrap_or(Path::new("/"));
    let rest = file.strip_prefix(above).unwrap_or(file).display();
    let begin = if up == 0 { "./".to_owned() } else { "../".repeat(up) };
    Ok(format!("builtins.attrValues (import {begin}{rest}).{SET}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readers_are_the_admins_from_wherever_the_rules_are() {
        let file = Path::new("/f/machines/keys.nix");
        for (folder, path) in
            [("/f/secrets", "../machines/keys.nix"), ("/f", "./machines/keys.nix")]
        {
            let readers = readers(file, Path::new(folder)).unwrap();
            assert_eq!(readers, format!("builtins.attrValues (import {path}).admins"));
        }
    }

    #[test]
    fn a_private_key_is_no_admin_s() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("k");
        for (text, why) in [
            ("-----BEGIN OPENSSH PRIVATE KEY-----\n", "it is a private key"),
            ("\n", "it is empty"),
            (
                "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\n",
                "it is a key of age's",
            ),
        ] {
            fs::write(&file, text).unwrap();
            let said = public(&file).unwrap_err();
            assert!(said.starts_with(why), "{said}");
        }
        let key =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0qz7RS5vMz5+eZRMrcul8AWoBdxnDrSx2HN16avSKV a@b";
        fs::write(&file, format!("{key}\n")).unwrap();
        assert_eq!(public(&file).as_deref(), Ok(key));
    }
}
