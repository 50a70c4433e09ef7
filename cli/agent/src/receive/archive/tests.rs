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
