//! The private key that a virtual machine decrypts its secrets with. It is the developer's own: a
//! machine's host key never leaves the machine.

use std::path::{Path, PathBuf};

use ssh_key::PrivateKey;

use crate::error::{Failure, Result};

/// The file, if a guest can use the key in it.
pub fn usable(file: &Path) -> Result<PathBuf> {
    let refused = |why: &dyn std::fmt::Display| {
        Failure::unchanged(format!("the key {} cannot be given to the machine", file.display()))
            .because(why)
    };
    let path = file.canonicalize().map_err(|error| refused(&error))?;
    let text = std::fs::read_to_string(&path).map(zeroize::Zeroizing::new);
    let text = text.map_err(|error| refused(&error))?;
    let lines = || text.lines().map(str::trim);
    if lines().any(|line| line.starts_with("AGE-SECRET-KEY-1")) {
        return Ok(path);
    }
    match PrivateKey::from_openssh(text.as_bytes()) {
        Ok(key) if key.is_encrypted() => {
            Err(refused(&"it has a passphrase, and the guest has no terminal").hint(Some(
                "make a key of its own for virtual machines, and name it in secrets.nix: \
                 ssh-keygen -t ed25519 -N '' -f ~/.ssh/vm"
                    .into(),
            )))
        }
        Ok(_) => Ok(path),
        Err(_) => Err(refused(&"it is neither a private key of OpenSSH nor one of age")
            .hint(Some("--key takes the file without .pub".into()))),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn of(text: &str) -> Result<PathBuf> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        fs::write(&file, text).unwrap();
        usable(&file)
    }

    #[test]
    fn a_key_that_a_guest_cannot_use_is_refused_before_anything_is_built() {
        assert!(of("# created\nAGE-SECRET-KEY-1QQQ\n").is_ok());
        let why = |text| of(text).unwrap_err().to_string();
        assert!(why("ssh-ed25519 AAAA me").contains("neither a private key"));
        assert!(
            usable(Path::new("/nowhere/key")).unwrap_err().to_string().contains("No such file")
        );
    }

    #[test]
    fn a_key_with_a_passphrase_is_told_from_one_without() {
        let folder = tempfile::tempdir().unwrap();
        for (word, name) in [("", "plain"), ("secret", "encrypted")] {
            let file = folder.path().join(name);
            let made = std::process::Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", word, "-f"])
                .arg(&file)
                .status();
            assert!(made.unwrap().success());
        }
        assert!(usable(&folder.path().join("plain")).is_ok());
        let refused = usable(&folder.path().join("encrypted")).unwrap_err().to_string();
        assert!(refused.contains("has a passphrase"), "{refused}");
    }
}
