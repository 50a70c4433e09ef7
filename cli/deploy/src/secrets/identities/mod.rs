//! Private keys: which there are, and what they need to be asked for.

mod ssh;

use std::{
    fs,
    io::{BufReader, Cursor, Read},
    path::{Path, PathBuf},
};

use age::{IdentityFile, armor::ArmoredReader};
use zeroize::Zeroizing;

use super::{
    answers::Answers,
    head::{Head, damaged},
};
use crate::error::{Failure, Result};

use ssh::SshKey;

/// Bytes of a file with private keys that are read at most, as age has it.
const LARGEST: u64 = 16 << 20;

/// The work of a passphrase at most, as a power of two: what `age` takes. Without it the crate measures
/// this computer, and refuses on a busy one what it takes on an idle one.
const WORK: u8 = 22;

/// The keys with which files are opened.
pub struct Identities {
    ssh: Vec<SshKey>,
    others: Vec<Box<dyn age::Identity>>,
    answers: Answers,
    files: Vec<PathBuf>,
}

impl Identities {
    /// The keys in `named`, else SSH's own where they are.
    pub fn load(named: &[PathBuf]) -> Result<Self> {
        let files = if named.is_empty() { usual() } else { named.to_vec() };
        if files.is_empty() {
            return Err(Failure::unchanged("there is no private key to open secrets with")
                .because("neither ~/.ssh/id_ed25519 nor ~/.ssh/id_rsa is there")
                .hint(Some(
                    "name the key's file: -i FILE (an agent of SSH's does not do: it signs, and \
                     opens nothing)"
                        .into(),
                )));
        }
        let answers = Answers::default();
        let mut keys = Self { ssh: Vec::new(), others: Vec::new(), answers, files: files.clone() };
        for file in &files {
            keys.add(file).map_err(|why| {
                let what = format!("the private key {} cannot be used", file.display());
                Failure::unchanged(what).because(why)
            })?;
        }
        Ok(keys)
    }

    fn add(&mut self, file: &Path) -> std::result::Result<(), String> {
        let bytes = read(file)?;
        let begins = |with: &str| bytes.starts_with(with.as_bytes());
        let name = Some(file.display().to_string());
        if begins("-----BEGIN OPENSSH PRIVATE KEY-----")
            || begins("-----BEGIN RSA PRIVATE KEY-----")
        {
            self.ssh.push(SshKey::read(&bytes, file)?);
        } else if begins("age-encryption.org/") || begins("-----BEGIN AGE ENCRYPTED FILE-----") {
            let input = ArmoredReader::new(Cursor::new(bytes.to_vec()));
            let key = age::encrypted::Identity::from_buffer(
                input,
                name,
                self.answers.clone(),
                Some(WORK),
            );
            let key = key.map_err(|error| error.to_string())?;
            let key = key.ok_or("it is encrypted to keys, not by a passphrase")?;
            self.others.push(Box::new(key));
        } else if begins("-----BEGIN") {
            return Err("it is no key of OpenSSH's: `ssh-keygen -p -f FILE` writes it anew".into());
        } else if begins("ssh-") || begins("age1") || begins("ecdsa-") || begins("sk-") {
            return Err("it is a public key: name the private one".into());
        } else {
            let file = IdentityFile::from_buffer(BufReader::new(&bytes[..]))
                .map_err(|_| "it has neither a key of SSH's nor one of age's".to_owned())?;
            let keys = file.with_callbacks(self.answers.clone()).into_identities();
            let keys = keys.map_err(|error| match error {
                age::DecryptError::MissingPlugin { binary_name } => {
                    format!("it needs a plugin of age's: there is no `{binary_name}` on PATH")
                }
                other => damaged(&other),
            })?;
            if keys.is_empty() {
                return Err("there is no key in it".into());
            }
            self.others.extend(keys);
        }
        Ok(())
    }

    /// Asks for the passphrase of each key that one of these files needs and no other key opens:
    /// once, however many files there are.
    pub async fn unlock<'h>(&mut self, heads: impl IntoIterator<Item = &'h Head>) -> Result<()> {
        for head in heads {
            let fits = |key: &SshKey| key.fits(head);
            if self.ssh.iter().any(|key| key.is_open() && fits(key)) {
                continue;
            }
            if let Some(key) = self.ssh.iter_mut().find(|key| key.fits(head)) {
                key.ask().await?;
            }
        }
        Ok(())
    }

    /// The keys for age: those that ask nothing first. What a plugin asks is asked anew for each
    /// file where it was answered wrongly, and answered from memory else.
    pub fn for_age(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.answers.begin();
        let ssh = self.ssh.iter().filter_map(SshKey::opened);
        ssh.chain(self.others.iter().map(AsRef::as_ref))
    }

    /// What plugins ask by.
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// The files, for messages.
    pub fn names(&self) -> String {
        let names: Vec<_> = self.files.iter().map(|file| file.display().to_string()).collect();
        names.join(", ")
    }
}

/// SSH's own keys, of the kinds that age takes, where they are.
fn usual() -> Vec<PathBuf> {
    let Some(home) = std::env::var_os("HOME") else { return Vec::new() };
    let folder = Path::new(&home).join(".ssh");
    let files = ["id_ed25519", "id_rsa"].map(|name| folder.join(name));
    files.into_iter().filter(|file| file.is_file()).collect()
}

fn read(file: &Path) -> std::result::Result<Zeroizing<Vec<u8>>, String> {
    let told = |error: std::io::Error| error.to_string();
    let opened = fs::File::open(file).map_err(told)?;
    let size = opened.metadata().map_err(told)?.len();
    if size > LARGEST {
        return Err("it is larger than any private key".into());
    }
    let mut bytes =
        Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1));
    opened.take(LARGEST).read_to_end(&mut bytes).map_err(told)?;
    Ok(bytes)
}
