//! Whether the secrets of the new system can be decrypted on this machine, with
//! the keys that are on its disk now and with the new closure's own `age`.

use std::{fs, path::Path};

use deploy_wire::{
    machine::Secret,
    message::{Refusal, RefusalKind},
};

use super::refusal::refuse_with;
use crate::tools::age;

/// Tries every secret.
pub fn look(secrets: &[Secret]) -> Result<(), Refusal> {
    for secret in secrets {
        let name = &secret.name;
        if !Path::new(&secret.file).exists() {
            let why = format!("secret {name}: {} does not exist", secret.file);
            let hint = "make it: agenix -e, and git add it";
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
        if let Err(said) = age::decrypts(secret, &identities) {
            let why = format!("secret {name} cannot be decrypted on the machine: {said}");
            let hint = "encrypt it for the machine's key too (agenix --rekey)";
            return Err(refuse_with(RefusalKind::Secret, why, hint));
        }
    }
    Ok(())
}

/// As agenix does: only keys that exist and are not empty.
fn readable(paths: &[String]) -> Vec<&str> {
    let not_empty = |path: &&String| fs::metadata(path).is_ok_and(|found| found.len() > 0);
    paths.iter().filter(not_empty).map(String::as_str).collect()
}
