//! The client side of Nix's protocol for a builder with a one-time key: the question what is valid
//! already, and the paths of the operator's list.

use std::io::{self, Read, Write};

use deploy_delta::operations::{ADD_MULTIPLE_TO_STORE, QUERY_VALID_PATHS};

use super::{
    archive,
    words::{ProtocolRelay, refused},
};
use crate::builder::{PathInfo, PushList};

/// The longest name of a path, hash, signature or content address.
const LONGEST: u64 = 4096;

/// The most references and signatures of a path.
const MANY: u64 = 100_000;

/// Forwards an operation of a builder. `is_wanted` says before each path whether the operator still
/// waits for it.
///
/// # Errors
/// When it is another operation, or not about paths of the list.
pub fn carry<R: Read, W: Write>(
    number: u64,
    words: &mut ProtocolRelay<R, W>,
    listed: &PushList,
    is_wanted: &impl Fn() -> bool,
) -> io::Result<()> {
    match number {
        QUERY_VALID_PATHS => question(words, listed),
        ADD_MULTIPLE_TO_STORE => paths(words, listed, is_wanted),
        other => Err(refused(format!("a builder may not use operation {other} of Nix's protocol"))),
    }
}

fn question<R: Read, W: Write>(
    words: &mut ProtocolRelay<R, W>,
    listed: &PushList,
) -> io::Result<()> {
    let mut paths = Vec::new();
    for _ in 0..words.count(MANY)? {
        let path = text(words)?;
        if !listed.has(&path) {
            return Err(refused(format!("{path} is not of this push")));
        }
        paths.push(path);
    }
    words.write(QUERY_VALID_PATHS)?;
    words.write_strings(&paths)?;
    // Whether the machine's own substituters are asked for them.
    words.number()?;
    words.flush()
}

/// The frames are read and written anew, so that the daemon gets of each path what was looked at.
fn paths<R: Read, W: Write>(
    words: &mut ProtocolRelay<R, W>,
    listed: &PushList,
    is_wanted: &impl Fn() -> bool,
) -> io::Result<()> {
    if words.read()? != 0 {
        return Err(refused("a builder may not repair paths"));
    }
    words.write(ADD_MULTIPLE_TO_STORE)?;
    words.write(0)?;
    // Whether signatures do not matter: the operator vouches for these bytes.
    words.number()?;
    words.flush()?;
    words.within_frames(|inner| {
        for _ in 0..inner.number()? {
            if !is_wanted() {
                return Err(refused("the operator is gone"));
            }
            path(inner, listed)?;
        }
        Ok(())
    })
}

/// One path: path, deriver, hash, references, time, size, whether it was built here, signatures,
/// content address, archive.
fn path<R: Read, W: Write>(words: &mut ProtocolRelay<R, W>, listed: &PushList) -> io::Result<()> {
    let path = text(words)?;
    let deriver = text(words)?;
    let hash = text(words)?;
    let references = texts(words)?;
    let time = words.read()?;
    let size = words.read()?;
    words.read()?;
    let signatures = texts(words)?;
    let address = text(words)?;
    let info = PathInfo { path, hash, references, size };
    listed.check(&info).map_err(refused)?;
    words.write_string(info.path.as_bytes())?;
    words.write_string(deriver.as_bytes())?;
    words.write_string(info.hash.as_bytes())?;
    words.write_strings(&info.references)?;
    words.write(time)?;
    words.write(size)?;
    // It was not built here, whatever the builder says.
    words.write(0)?;
    words.write_strings(&signatures)?;
    words.write_string(address.as_bytes())?;
    archive::carry(words, size)
}

fn text<R: Read, W: Write>(words: &mut ProtocolRelay<R, W>) -> io::Result<String> {
    String::from_utf8(words.read_string(LONGEST)?).map_err(|_| refused("a name that is no text"))
}

fn texts<R: Read, W: Write>(words: &mut ProtocolRelay<R, W>) -> io::Result<Vec<String>> {
    (0..words.count(MANY)?).map(|_| text(words)).collect()
}

#[cfg(test)]
mod tests;
