//! Forwards exactly one archive of Nix's (a NAR).
//!
//! The daemon reads an archive to its own end, not to a length that was said before. It reads the
//! archive of a path that is valid already without comparing its hash. A client could end such an
//! archive early and let the description of a path that nobody listed follow within its length:
//! `nothing_hides_behind_an_archive_that_ends_early`.

use std::io::{self, Read, Write};

use super::words::{ProtocolRelay, refused};

/// The deepest folder. Nix's own names of files cannot be deeper.
const DEEPEST: usize = 4096;

/// Forwards one archive of `size` bytes.
///
/// # Errors
/// When it is no archive, or when it ends elsewhere.
pub fn carry<R: Read, W: Write>(words: &mut ProtocolRelay<R, W>, size: u64) -> io::Result<()> {
    let before = words.forwarded();
    token(words, "nix-archive-1")?;
    token(words, "(")?;
    // The folders around the present node.
    let mut depth = 0;
    loop {
        if !node(words)? {
            depth += 1;
            if depth > DEEPEST {
                return Err(refused("an archive with too deep folders"));
            }
        } else if depth > 0 {
            // The end of an entry.
            token(words, ")")?;
        }
        // The next entry of the innermost folder, or its end, which is the end of its own entry.
        loop {
            if depth == 0 {
                let length = words.forwarded() - before;
                return match length == size {
                    true => Ok(()),
                    false => Err(refused(format!("an archive of {length} bytes, not of {size}"))),
                };
            }
            if one_of(words, &["entry", ")"])? == "entry" {
                entry(words)?;
                break;
            }
            depth -= 1;
            if depth > 0 {
                token(words, ")")?;
            }
        }
    }
}

/// The begin of an entry: `( name NAME node (`.
fn entry<R: Read, W: Write>(words: &mut ProtocolRelay<R, W>) -> io::Result<()> {
    token(words, "(")?;
    token(words, "name")?;
    words.string()?;
    token(words, "node")?;
    token(words, "(")
}

/// A node behind its `(`. `false` for a folder, whose entries and `)` follow.
fn node<R: Read, W: Write>(words: &mut ProtocolRelay<R, W>) -> io::Result<bool> {
    token(words, "type")?;
    match one_of(words, &["regular", "symlink", "directory"])? {
        "regular" => {
            match one_of(words, &["executable", "contents", ")"])? {
                ")" => return Ok(true),
                "contents" => {}
                _ => {
                    token(words, "")?;
                    token(words, "contents")?;
                }
            }
            words.contents()?;
        }
        "symlink" => {
            token(words, "target")?;
            words.string()?;
        }
        _ => return Ok(false),
    }
    token(words, ")")?;
    Ok(true)
}

fn token<R: Read, W: Write>(words: &mut ProtocolRelay<R, W>, expected: &str) -> io::Result<()> {
    one_of(words, &[expected]).map(drop)
}

/// Forwards one of these words.
fn one_of<'w, R: Read, W: Write>(
    words: &mut ProtocolRelay<R, W>,
    expected: &[&'w str],
) -> io::Result<&'w str> {
    let longest = expected.iter().map(|word| word.len()).max().unwrap_or_default();
    let word = words.read_string(longest as u64)?;
    let Some(found) = expected.iter().find(|expected| expected.as_bytes() == word) else {
        return Err(refused("this is not an archive of Nix's"));
    };
    words.write_string(found.as_bytes())?;
    Ok(found)
}

#[cfg(test)]
pub mod tests;
