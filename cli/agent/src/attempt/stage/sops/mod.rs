//! Secrets by sops-nix. Its manifest, which the system's activation names, says what is decrypted and
//! with which keys; the encrypted files say for whom. Nothing is decrypted here: a file whose
//! recipients are none of the machine's keys cannot be.

mod found;
mod recipient;

use std::{collections::BTreeSet, fs};

use deploy_wire::{
    machine::{Check, CheckKind},
    message::{Refusal, RefusalKind},
    store_path::StorePath,
};

pub use found::SopsManifest;

use super::refusal::refuse_with;
use crate::checks::secrets::of_secret;
use recipient::{Recipients, of_age_file, of_ssh_key};

/// Refuses a system with a file that is encrypted to none of the machine's keys. Returns a note about
/// files whose decryption is not known before the switch.
pub fn compare_recipients(wanted: &StorePath) -> Result<Option<String>, Refusal> {
    let mut unknown = BTreeSet::new();
    for manifest in found::of_system(wanted) {
        let own = own_recipients(&manifest);
        let files: BTreeSet<&String> = manifest.secrets.iter().map(|each| &each.file).collect();
        for file in files {
            let text = fs::read(file).unwrap_or_default();
            let recipients = Recipients::read(&String::from_utf8_lossy(&text));
            match judge(&manifest, &own, &recipients) {
                Judged::IsReader => {}
                Judged::NotKnown => drop(unknown.insert(file.clone())),
                Judged::IsNone => return Err(refuse(file, &own, &recipients)),
            }
        }
    }
    Ok((!unknown.is_empty()).then(|| {
        let files = unknown.into_iter().collect::<Vec<_>>().join(", ");
        format!(
            "not known before the switch whether sops-nix can decrypt {files}: only age's \
             recipients are compared, with ed25519 host keys and sops.age.keyFile"
        )
    }))
}

/// Whether the machine can decrypt a file.
#[derive(Debug, PartialEq, Eq)]
enum Judged {
    IsReader,
    IsNone,
    NotKnown,
}

fn judge(manifest: &SopsManifest, own: &BTreeSet<String>, file: &Recipients) -> Judged {
    let by_other_keys = file.others && (manifest.has_gpg() || file.ages.is_empty());
    if file.ages.iter().any(|age| own.contains(age)) {
        Judged::IsReader
    } else if by_other_keys || file.ages.is_empty() || own.is_empty() {
        Judged::NotKnown
    } else {
        Judged::IsNone
    }
}

fn own_recipients(manifest: &SopsManifest) -> BTreeSet<String> {
    let public = |path: &String| fs::read_to_string(format!("{path}.pub")).ok();
    let of_hosts = manifest.age_ssh_key_paths.iter().filter_map(public);
    let of_hosts = of_hosts.flat_map(|text| of_ssh_key(&text));
    let of_file = manifest.age_key_file.iter().flat_map(|path| of_age_file(path));
    of_hosts.chain(of_file).collect()
}

fn refuse(file: &str, own: &BTreeSet<String>, recipients: &Recipients) -> Refusal {
    let list = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
    let why = format!(
        "{file} is encrypted to none of the machine's keys ({}), but to {}",
        list(own),
        list(&recipients.ages)
    );
    let name = file.rsplit('/').next().unwrap_or(file);
    let name =
        name.split_once('-').filter(|(hash, _)| hash.len() == 32).map_or(name, |(_, name)| name);
    let hint =
        format!("add the machine's key to .sops.yaml, and encrypt for it: sops updatekeys {name}");
    refuse_with(RefusalKind::Secret, why, hint)
}

/// A check for each of the secrets, like those of agenix.
pub fn checks(wanted: &StorePath) -> Vec<Check> {
    let check = |secret: found::SopsSecret| {
        let (owner, group) = (secret.owner(), secret.group());
        let kind = CheckKind::File { path: secret.path, mode: Some(secret.mode), owner, group };
        of_secret(&secret.name, kind)
    };
    let manifests = found::of_system(wanted).into_iter();
    manifests.flat_map(|manifest| manifest.secrets).map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_file_for_none_of_the_machine_s_keys_is_refused_only_where_that_is_known() {
        let with = |gpg: &[&str]| SopsManifest {
            ssh_key_paths: gpg.iter().map(|path| (*path).to_owned()).collect(),
            ..SopsManifest::default()
        };
        let file = |ages: &[&str], others| Recipients { ages: names(ages), others };
        let own = names(&["age1a"]);
        for (gpg, own, file, judged) in [
            (&[][..], &own, file(&["age1a", "age1b"], false), Judged::IsReader),
            (&[], &own, file(&["age1b"], false), Judged::IsNone),
            (&[], &own, file(&["age1b"], true), Judged::IsNone),
            (&["/etc/ssh/rsa"], &own, file(&["age1b"], true), Judged::NotKnown),
            (&[], &own, file(&[], true), Judged::NotKnown),
            (&[], &own, file(&[], false), Judged::NotKnown),
            (&[], &names(&[]), file(&["age1b"], false), Judged::NotKnown),
        ] {
            assert_eq!(judge(&with(gpg), own, &file), judged, "{gpg:?} {own:?} {file:?}");
        }
        let refused = refuse("/x.yaml", &own, &file(&["age1b"], false));
        assert_eq!(
            refused.why,
            "/x.yaml is encrypted to none of the machine's keys (age1a), but to age1b"
        );
    }
}
