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
pub mod tests {
    use proptest::prelude::*;

    use super::*;

    pub fn string(text: &str) -> Vec<u8> {
        let mut bytes = [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    pub fn strings(words: &[&str]) -> Vec<u8> {
        words.iter().flat_map(|word| string(word)).collect()
    }

    /// A file with this text.
    pub fn file(text: &str) -> Vec<u8> {
        strings(&["nix-archive-1", "(", "type", "regular", "contents", text, ")"])
    }

    fn carried(said: &[u8], size: usize) -> (Vec<u8>, Result<(), String>) {
        let mut heard = Vec::new();
        let mut words = ProtocolRelay::new(said, &mut heard);
        let ended = carry(&mut words, size as u64).map_err(|error| error.to_string());
        (heard, ended)
    }

    fn folder() -> Vec<u8> {
        strings(&[
            "nix-archive-1",
            "(",
            "type",
            "directory",
            "entry",
            "(",
            "name",
            "a",
            "node",
            "(",
            "type",
            "directory",
            "entry",
            "(",
            "name",
            "run",
            "node",
            "(",
            "type",
            "regular",
            "executable",
            "",
            "contents",
            "#!",
            ")",
            ")",
            ")",
            ")",
            "entry",
            "(",
            "name",
            "b",
            "node",
            "(",
            "type",
            "directory",
            ")",
            ")",
            "entry",
            "(",
            "name",
            "c",
            "node",
            "(",
            "type",
            "symlink",
            "target",
            "a/run",
            ")",
            ")",
            ")",
        ])
    }

    #[test]
    fn an_archive_goes_over_as_it_is() {
        let empty = strings(&["nix-archive-1", "(", "type", "regular", ")"]);
        let link = strings(&["nix-archive-1", "(", "type", "symlink", "target", "x", ")"]);
        let nothing = strings(&["nix-archive-1", "(", "type", "directory", ")"]);
        for archive in [file("text"), file(""), empty, link, nothing, folder()] {
            assert_eq!(carried(&archive, archive.len()), (archive.clone(), Ok(())));
        }
    }

    #[test]
    fn what_is_no_archive_or_ends_elsewhere_is_refused() {
        let long = [folder(), file("more")].concat();
        let (heard, ended) = carried(&long, long.len());
        assert_eq!(heard, folder(), "nothing behind its end went over");
        assert!(ended.unwrap_err().contains("an archive of"));
        for said in [
            strings(&["nix-archive-2"]),
            strings(&["nix-archive-1", "(", "type", "device"]),
            strings(&["nix-archive-1", "(", "type", "directory", "entry", "(", "node"]),
            strings(&["nix-archive-1", "(", "type", "regular", "executable", "x"]),
        ] {
            let (heard, ended) = carried(&said, said.len());
            assert!(ended.is_err() && heard.len() < said.len());
        }
        let whole = folder();
        for end in 0..whole.len() {
            assert!(carried(&whole[..end], whole.len()).1.is_err(), "{end}");
        }
    }

    #[test]
    fn padding_that_holds_something_is_refused() {
        let mut archive = file("text");
        let at = archive.len() - 16 - 4;
        assert_eq!(&archive[at - 4..at], b"text");
        archive[at] = 1;
        assert!(carried(&archive, archive.len()).1.is_err());
    }

    proptest! {
        /// A damaged archive ends, and nothing is forwarded that was not said.
        #[test]
        fn a_damaged_archive_is_forwarded_or_refused(
            changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let mut said = folder();
            for (at, byte) in changes {
                *at.get_mut(&mut said) = byte;
            }
            let (heard, ended) = carried(&said, said.len());
            prop_assert!(said.starts_with(&heard));
            prop_assert!(ended.is_err() || heard == said);
        }
    }
}
