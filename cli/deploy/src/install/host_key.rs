//! The host key that a machine gets when it is installed.

use std::{fs, path::Path};

use ssh_key::{Algorithm, PrivateKey};
use zeroize::Zeroizing;

/// A private host key with its public half. It is never printed, and its memory is cleared.
pub struct HostKey {
    /// The private key, as OpenSSH writes it.
    pub text: Zeroizing<Vec<u8>>,
    /// The public half: its kind and itself, without a comment.
    pub public: String,
}

impl HostKey {
    /// Reads a private key. The error says why it is none for a host.
    pub fn parse(text: Zeroizing<Vec<u8>>) -> Result<Self, String> {
        let key = PrivateKey::from_openssh(&text[..])
            .map_err(|error| format!("it is no private key of OpenSSH's: {error}"))?;
        if key.is_encrypted() {
            return Err(
                "it has a passphrase, which nobody would type when the machine starts".into()
            );
        }
        if key.algorithm() != Algorithm::Ed25519 {
            return Err(format!("it is of the kind {}, not ssh-ed25519", key.algorithm()));
        }
        let mut public = key.public_key().clone();
        public.set_comment("");
        let public = public.to_openssh().map_err(|error| error.to_string())?;
        Ok(Self { text, public })
    }

    /// Reads the key of a file. The error says why it is none for a host.
    pub fn of_file(file: &Path) -> Result<Self, String> {
        Self::parse(Zeroizing::new(fs::read(file).map_err(|error| error.to_string())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key without a passphrase, made with `ssh-keygen -t KIND -C joe`.
    fn made(folder: &Path, words: &[&str]) -> std::path::PathBuf {
        let file = folder.join(words.join(""));
        let made = std::process::Command::new("ssh-keygen")
            .args(["-q", "-C", "joe", "-f"])
            .arg(&file)
            .args(words)
            .status();
        assert!(made.unwrap().success());
        file
    }

    #[test]
    fn only_a_key_that_sshd_can_open_alone_is_a_host_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = made(folder.path(), &["-t", "ed25519", "-N", ""]);
        let key = HostKey::of_file(&file).unwrap();
        let public = fs::read_to_string(file.with_extension("pub")).unwrap();
        assert_eq!(format!("{} joe", key.public), public.trim());
        let refused = |file: &Path| HostKey::of_file(file).err().unwrap();
        let secret = made(folder.path(), &["-t", "ed25519", "-N", "a word"]);
        assert!(refused(&secret).contains("it has a passphrase"));
        let rsa = made(folder.path(), &["-t", "rsa", "-b", "2048", "-N", ""]);
        assert!(refused(&rsa).contains("of the kind ssh-rsa"), "{}", refused(&rsa));
        assert!(refused(&file.with_extension("pub")).contains("no private key of OpenSSH's"));
        assert!(refused(Path::new("/none")).contains("No such file"));
    }
}
