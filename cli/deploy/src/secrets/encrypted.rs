//! A file of age's: its text, in and out.

use std::io::{self, Read, Write};

use age::{
    DecryptError, Encryptor,
    armor::{ArmoredWriter, Format},
};
use zeroize::Zeroizing;

use super::{
    answers::Answers,
    head::{damaged, in_one_line, opened},
    identities::Identities,
    recipient::Recipient,
};

/// Why a file gave no text.
#[derive(Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// None of the keys is one that it is encrypted to.
    NoKey,
    /// Something else, in words.
    Other(String),
}

impl std::fmt::Display for NotOpened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoKey => f.write_str("none of the private keys opens it"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

/// The text of a file. It is cleared from memory when it is dropped, and lies in one place: one
/// that grew would leave parts of itself behind.
pub fn decrypt(bytes: &[u8], keys: &Identities) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
    let decryptor = opened(bytes).map_err(NotOpened::Other)?;
    let mut reader = match decryptor.decrypt(keys.for_age()) {
        Ok(reader) => reader,
        Err(DecryptError::NoMatchingKeys) => return Err(NotOpened::NoKey),
        Err(error) => return Err(NotOpened::Other(damaged(&error))),
    };
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len()));
    reader.read_to_end(&mut text).map_err(|error| {
        NotOpened::Other(match error.kind() {
            io::ErrorKind::UnexpectedEof => "it is cut off".into(),
            io::ErrorKind::InvalidData => "it was changed after it was encrypted".into(),
            _ => error.to_string(),
        })
    })?;
    Ok(text)
}

/// `text` for these recipients. The error names the key that age has no way for.
pub fn encrypt(
    text: &[u8],
    recipients: &[Recipient],
    armor: bool,
    answers: &Answers,
) -> Result<Vec<u8>, String> {
    let keys = recipients.iter().map(|recipient| {
        recipient.for_age(answers).map_err(|why| format!("{}: {why}", recipient.text()))
    });
    let keys: Vec<Box<dyn age::Recipient>> = keys.collect::<Result<_, _>>()?;
    let told = |error: &dyn std::fmt::Display| in_one_line(&error.to_string());
    let encryptor = Encryptor::with_recipients(keys.iter().map(AsRef::as_ref));
    let encryptor = encryptor.map_err(|error| told(&error))?;
    let format = if armor { Format::AsciiArmor } else { Format::Binary };
    let written = || -> io::Result<Vec<u8>> {
        let out = Vec::with_capacity(text.len() + 1024);
        let mut writer = encryptor.wrap_output(ArmoredWriter::wrap_output(out, format)?)?;
        writer.write_all(text)?;
        writer.finish()?.finish()
    };
    written().map_err(|error| told(&error))
}
