//! The head of a file of age's: whom it is for. No private key is needed for it.

use std::{
    cell::RefCell,
    fmt,
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use age::{DecryptError, Decryptor, Recipient as _, armor::ArmoredReader};
use age_core::format::{FileKey, Stanza};

/// What a file's head says.
#[derive(Debug, Default)]
pub struct Head {
    /// One for each recipient, and one more that means nothing.
    pub stanzas: Vec<Stanza>,
}

/// Stands in for a private key, and keeps what it is offered.
#[derive(Default)]
struct Looker(RefCell<Head>);

impl age::Identity for Looker {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        let Stanza { tag, args, body } = stanza;
        let kept = Stanza { tag: tag.clone(), args: args.clone(), body: body.clone() };
        self.0.borrow_mut().stanzas.push(kept);
        None
    }
}

impl Head {
    /// Reads it; the text itself is not looked at. The error says what is wrong with the file.
    pub fn read(file: &Path) -> Result<Self, String> {
        let file = File::open(file).map_err(|error| error.to_string())?;
        Self::of(BufReader::new(file))
    }

    /// The head of what is at hand.
    pub fn of(input: impl BufRead) -> Result<Self, String> {
        let decryptor = opened(input)?;
        let looker = Looker::default();
        match decryptor.decrypt(std::iter::once(&looker as &dyn age::Identity)) {
            Ok(_) | Err(DecryptError::NoMatchingKeys) => Ok(looker.0.into_inner()),
            Err(error) => Err(damaged(&error)),
        }
    }
}

/// The file, behind its head.
pub fn opened<R: BufRead>(input: R) -> Result<Decryptor<impl BufRead>, String> {
    let input = BufReader::new(ArmoredReader::new(input));
    Decryptor::new_buffered(input).map_err(|error| damaged(&error))
}

/// What is wrong with it. age's own words are several lines, and of its other programs.
pub fn damaged(error: &DecryptError) -> String {
    match error {
        DecryptError::InvalidHeader | DecryptError::UnknownFormat => {
            "it is no file of age's".into()
        }
        DecryptError::InvalidMac => "its head was changed after it was encrypted".into(),
        DecryptError::DecryptionFailed => "it was changed after it was encrypted".into(),
        DecryptError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "it is cut off".into()
        }
        DecryptError::NoMatchingKeys => "none of the private keys opens it".into(),
        DecryptError::KeyDecryptionFailed => "the private key's passphrase is wrong".into(),
        DecryptError::MissingPlugin { binary_name } => {
            format!("the key needs a plugin of age's: there is no `{binary_name}` on PATH")
        }
        DecryptError::ExcessiveWork { required, .. } => {
            format!("its passphrase takes too long to check: a work factor of {required}")
        }
        other => in_one_line(&other.to_string()),
    }
}

/// age's own words in one line, without the marks that it puts around what it fills in.
pub fn in_one_line(text: &str) -> String {
    let bare: String = text.chars().filter(|c| !matches!(c, '\u{2068}' | '\u{2069}')).collect();
    bare.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// How a file names a recipient: the stanza's kind, and the key's hash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StanzaName {
    /// `ssh-ed25519` or `ssh-rsa`.
    pub kind: String,
    /// The beginning of the key's SHA-256.
    pub hash: String,
}

/// How a file names a key of SSH's, by what age itself writes.
pub fn name_of(key: &age::ssh::Recipient) -> Option<StanzaName> {
    let nothing = FileKey::new(Box::new([0; 16]));
    let (stanzas, _) = key.wrap_file_key(&nothing).ok()?;
    stanzas.iter().find_map(StanzaName::of)
}

impl StanzaName {
    /// The name of the key that a stanza is for, where it names one.
    pub fn of(stanza: &Stanza) -> Option<Self> {
        let named = matches!(stanza.tag.as_str(), "ssh-ed25519" | "ssh-rsa");
        let hash = stanza.args.first().filter(|_| named)?;
        Some(Self { kind: stanza.tag.clone(), hash: hash.clone() })
    }
}

impl fmt::Display for StanzaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with the hash {}", self.kind, self.hash)
    }
}
