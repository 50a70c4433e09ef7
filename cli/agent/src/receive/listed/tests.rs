use std::cell::Cell;

use deploy_wire::{builder_push::PushedPath, store_path::StorePath};
use proptest::prelude::*;

use super::*;
use crate::receive::archive::tests::{file, string};
use crate::receive::words::FrameReader;

const HASH: &str = "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f";

fn number(number: u64) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

fn strings(texts: &[String]) -> Vec<u8> {
    let texts_in_turn = texts.iter().flat_map(|text| string(text));
    number(texts.len() as u64).into_iter().chain(texts_in_turn).collect()
}

fn name(at: usize) -> String {
    format!("/nix/store/{}-x", at.to_string().repeat(32))
}

/// Two paths, of which the second refers to the first.
fn listed() -> PushList {
    let path = |at: usize, references: &[usize]| PushedPath {
        path: StorePath::parse(&name(at)).unwrap(),
        hash: HASH.into(),
        size: file("text").len() as u64,
        references: references.to_vec(),
    };
    PushList::new(&[path(0, &[]), path(1, &[0])])
}

fn info(path: &str, hash: &str, references: &[String], size: u64, built_here: u64) -> Vec<u8> {
    [
        string(path),
        string(""),
        string(hash),
        strings(references),
        number(7),
        number(size),
        number(built_here),
        strings(&["key:signature".into()]),
        string(""),
    ]
    .concat()
}

fn first(archive: &[u8]) -> Vec<u8> {
    [info(&name(0), HASH, &[], file("text").len() as u64, 0), archive.to_vec()].concat()
}

/// The paths in frames of `length` bytes.
fn framed(count: u64, paths: &[u8], length: usize) -> Vec<u8> {
    let inside = [number(count), paths.to_vec()].concat();
    let frame = |piece: &[u8]| [number(piece.len() as u64), piece.to_vec()].concat();
    let frames: Vec<u8> = inside.chunks(length).flat_map(frame).collect();
    [number(0), number(1), frames, number(0)].concat()
}

/// The inside of forwarded frames.
fn unframed(heard: &[u8]) -> Vec<u8> {
    let mut inside = Vec::new();
    FrameReader::new(&heard[24..]).read_to_end(&mut inside).unwrap();
    inside
}

fn carried(operation: u64, said: &[u8]) -> (Vec<u8>, Result<(), String>) {
    let mut heard = Vec::new();
    let mut words = ProtocolRelay::new(said, &mut heard);
    let ended = super::carry(operation, &mut words, &listed(), &|| true);
    (heard, ended.map_err(|error| error.to_string()))
}

#[test]
fn the_listed_paths_go_over_in_whatever_frames() {
    let text = file("text");
    let second = info(&name(1), HASH, &[name(0)], text.len() as u64, 1);
    let paths = [first(&text), second, text.clone()].concat();
    for length in [1, 7, 4096] {
        let (heard, ended) = carried(ADD_MULTIPLE_TO_STORE, &framed(2, &paths, length));
        assert_eq!(ended, Ok(()));
        assert_eq!(&heard[..24], [number(44), number(0), number(1)].concat());
        // Nothing says that it was built on the machine.
        let second = info(&name(1), HASH, &[name(0)], text.len() as u64, 0);
        let expected = [number(2), first(&text), second, text.clone()].concat();
        assert_eq!(unframed(&heard), expected);
    }
}

#[test]
fn no_path_but_a_listed_one_with_its_bytes_reaches_the_daemon() {
    let text = file("text");
    let size = text.len() as u64;
    for (info, why) in [
        (info(&name(2), HASH, &[], size, 0), "is not of this push"),
        (info(&name(0), &"1f".repeat(32), &[], size, 0), "another hash"),
        (info(&name(0), HASH, &[name(1)], size, 0), "other references"),
        (info(&name(0), HASH, &[], size + 8, 0), "another size"),
    ] {
        let said = framed(1, &[info, text.clone()].concat(), 4096);
        let (heard, ended) = carried(ADD_MULTIPLE_TO_STORE, &said);
        assert!(ended.unwrap_err().contains(why));
        assert!(heard.len() <= 24 + 16, "{} bytes went over", heard.len());
    }
    let (heard, ended) = carried(ADD_MULTIPLE_TO_STORE, &[number(1), number(1)].concat());
    assert!(ended.unwrap_err().contains("may not repair") && heard.is_empty());
}

/// The daemon does not compare the archive of a path that it has, so it would read what comes behind
/// a short one as the next path.
#[test]
fn nothing_hides_behind_an_archive_that_ends_early() {
    let hidden = [info(&name(2), HASH, &[], 120, 0), file("evil")].concat();
    let short = file("");
    let padded = [short.clone(), hidden].concat();
    let info = info(&name(0), HASH, &[], file("text").len() as u64, 0);
    let said = framed(2, &[info, padded].concat(), 4096);
    let (heard, ended) = carried(ADD_MULTIPLE_TO_STORE, &said);
    assert!(ended.unwrap_err().contains("an archive of"));
    let has = |heard: &[u8], text: &str| heard.windows(text.len()).any(|at| at == text.as_bytes());
    assert!(!has(&heard, "evil") && !has(&heard, &name(2)), "what was hidden went over");
}

#[test]
fn what_follows_the_last_path_is_refused() {
    let said = framed(1, &[first(&file("text")), number(9)].concat(), 4096);
    assert!(carried(ADD_MULTIPLE_TO_STORE, &said).1.is_err());
}

#[test]
fn only_listed_paths_are_asked_for() {
    let said = [strings(&[name(0), name(1)]), number(1)].concat();
    let (heard, ended) = carried(QUERY_VALID_PATHS, &said);
    assert_eq!((heard, ended), ([number(31), said].concat(), Ok(())));
    let said = [strings(&[name(0), name(2)]), number(0)].concat();
    let (heard, ended) = carried(QUERY_VALID_PATHS, &said);
    assert!(ended.unwrap_err().contains("is not of this push") && heard.is_empty());
}

#[test]
fn every_other_operation_is_refused() {
    for other in (0..60).filter(|it| ![QUERY_VALID_PATHS, ADD_MULTIPLE_TO_STORE].contains(it)) {
        let (heard, ended) = carried(other, &[strings(&[name(0)]), number(0)].concat());
        assert!(ended.unwrap_err().contains("may not use operation") && heard.is_empty());
    }
}

#[test]
fn nothing_more_comes_once_the_operator_is_gone() {
    let text = file("text");
    let second = info(&name(1), HASH, &[name(0)], text.len() as u64, 0);
    let said = framed(2, &[first(&text), second, text].concat(), 64);
    let asked = Cell::new(0);
    let is_wanted = || asked.replace(asked.get() + 1) == 0;
    let mut heard = Vec::new();
    let mut words = ProtocolRelay::new(&said[..], &mut heard);
    let ended = super::carry(ADD_MULTIPLE_TO_STORE, &mut words, &listed(), &is_wanted);
    assert_eq!(ended.unwrap_err().to_string(), "the operator is gone");
    assert!(!heard.windows(name(1).len()).any(|at| at == name(1).as_bytes()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// No damage of a builder's bytes makes another path go over than listed ones.
    #[test]
    fn a_damaged_push_brings_no_other_path(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
        length in 1..600_usize,
    ) {
        let text = file("text");
        let second = info(&name(1), HASH, &[name(0)], text.len() as u64, 0);
        let mut said = framed(2, &[first(&text), second, text].concat(), length);
        for (at, byte) in changes {
            *at.get_mut(&mut said) = byte;
        }
        let (heard, _) = carried(ADD_MULTIPLE_TO_STORE, &said);
        let mut read = Vec::new();
        // The last path may have been cut off.
        let _ = read_as_the_daemon_does(&unframed_so_far(&heard), &mut read);
        for info in read {
            prop_assert_eq!(listed().check(&info), Ok(()));
        }
    }
}

/// The inside of frames that may have been cut off.
fn unframed_so_far(heard: &[u8]) -> Vec<u8> {
    let mut inside = Vec::new();
    let frames = heard.get(24..).unwrap_or_default();
    let _ = FrameReader::new(frames).read_to_end(&mut inside);
    inside
}

/// The paths that a daemon finds in what went over.
fn read_as_the_daemon_does(inside: &[u8], found: &mut Vec<PathInfo>) -> io::Result<()> {
    let mut words = ProtocolRelay::new(inside, io::sink());
    for _ in 0..words.read()? {
        let (path, _deriver, hash) = (text(&mut words)?, text(&mut words)?, text(&mut words)?);
        let references = texts(&mut words)?;
        let (_time, size, _built_here) = (words.read()?, words.read()?, words.read()?);
        found.push(PathInfo { path, hash, references, size });
        texts(&mut words)?;
        text(&mut words)?;
        archive::carry(&mut words, size)?;
    }
    Ok(())
}
