//! A private key of SSH's, and its passphrase.

use std::path::{Path, PathBuf};

use age::ssh::{Identity, Recipient, UnsupportedKey};

use crate::{
    error::{Failure, Result},
    secrets::head::{Head, StanzaName, name_of},
    tools::{
        printable::Printable,
        terminal::{self, Echo},
    },
};

/// How often a passphrase may be mistyped.
const TRIES: usize = 3;

/// The key, and how files name it.
pub struct SshKey {
    file: PathBuf,
    key: Identity,
    name: StanzaName,
}

impl SshKey {
    /// Reads it. It may have a passphrase.
    pub fn read(bytes: &[u8], file: &Path) -> std::result::Result<Self, String> {
        let damaged = || "the key is damaged".to_owned();
        let key = Identity::from_buffer(bytes, None).map_err(|_| damaged())?;
        if let Identity::Unsupported(kind) = &key {
            return Err(unsupported(kind));
        }
        let public = Recipient::try_from(key.clone()).ok();
        let name = public.and_then(|public| name_of(&public)).ok_or_else(damaged)?;
        Ok(Self { file: file.to_owned(), key, name })
    }

    /// Whether a file is encrypted to it.
    pub fn fits(&self, head: &Head) -> bool {
        head.stanzas.iter().filter_map(StanzaName::of).any(|name| name == self.name)
    }

    /// Whether no passphrase is missing.
    pub fn is_open(&self) -> bool {
        matches!(self.key, Identity::Unencrypted(_))
    }

    /// The key, once it is open.
    pub fn opened(&self) -> Option<&dyn age::Identity> {
        self.is_open().then_some(&self.key as &dyn age::Identity)
    }

    /// Asks for its passphrase.
    pub async fn ask(&mut self) -> Result<()> {
        let file = self.file.display();
        let failed = || Failure::unchanged(format!("the private key {file} stays closed"));
        let question = format!("passphrase of {file}:");
        for _ in 0..TRIES {
            let Identity::Encrypted(closed) = &self.key else { return Ok(()) };
            let typed = terminal::ask(Printable::line(&question), Echo::Hidden).await;
            let typed = typed.map_err(|error| {
                failed()
                    .because(format!("its passphrase could not be asked for: {error}"))
                    .hint(Some("a key without one does without a terminal: -i FILE".into()))
            })?;
            if let Ok(open) = closed.decrypt(typed.as_str().to_owned().into()) {
                self.key = open.into();
                return Ok(());
            }
        }
        Err(failed().because(format!("the passphrase was wrong {TRIES} times")))
    }
}

fn unsupported(kind: &UnsupportedKey) -> String {
    match kind {
        UnsupportedKey::EncryptedPem => {
            "its passphrase is in an old format: `ssh-keygen -p -f FILE` writes it anew".into()
        }
        UnsupportedKey::EncryptedSsh(cipher) => {
            format!("its passphrase uses {cipher}, which age cannot: `ssh-keygen -p -f FILE`")
        }
        UnsupportedKey::Hardware(kind) => {
            format!(
                "it is a {kind}: it signs, and opens nothing; age has a plugin for such devices"
            )
        }
        UnsupportedKey::Type(kind) => {
            format!("it is a {kind}: age opens with ssh-ed25519, ssh-rsa and its own keys")
        }
    }
}
