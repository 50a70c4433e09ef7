//! JSON: machine.json, the record, requests and replies.

use std::{fs, path::Path};

use deploy_wire::{
    baseline::Confirmed,
    machine::Machine,
    message::{Answered, Asked},
    record::Record,
    sealed,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::damage::{Random, change, damage, is_clear};

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    fs::read(folder.join(name)).unwrap()
}

/// The golden messages whose names begin so.
fn messages(kind: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/message");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name.starts_with(kind));
    names.sort();
    assert!(!names.is_empty(), "there is no golden {kind}");
    names
}

/// Reads damaged texts and changed documents; what is read can be written and read again.
/// How many were refused.
fn read_all<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    name: &str,
    times: usize,
    read: impl Fn(Value) -> Result<T, String>,
) -> usize {
    let whole = golden(name);
    let document: Value = serde_json::from_slice(&whole).unwrap();
    let mut random = Random(0x5eed_0000 + u64::try_from(name.len()).unwrap());
    let mut refused = 0;
    for round in 0..times {
        let damaged = if round % 2 == 0 {
            serde_json::from_slice(&damage(&whole, &mut random)).map_err(|error| error.to_string())
        } else {
            let mut changed = document.clone();
            change(&mut changed, &mut random);
            Ok(changed)
        };
        match damaged.and_then(&read) {
            Err(error) => {
                is_clear(&error);
                refused += 1;
            }
            Ok(value) => {
                let again = read(serde_json::to_value(&value).unwrap());
                assert_eq!(again.as_ref(), Ok(&value), "it reads otherwise what it wrote");
            }
        }
    }
    refused
}

fn plain<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

pub fn machine_json(times: usize) {
    let read = |value| Machine::from_json(value).map_err(|error| error.to_string());
    assert!(read_all("machine/full.json", times, read) > times / 2);
    assert!(read_all("machine/minimal.json", times, read) > times / 2);
}

pub fn records(times: usize) {
    assert!(read_all("message/record.json", times, plain::<Record>) > times / 2);
    assert!(read_all("message/confirmed.json", times, plain::<Confirmed>) > times / 2);
}

pub fn requests(times: usize) {
    all::<Asked>("request-", times);
}

pub fn replies(times: usize) {
    all::<Answered>("reply-", times);
}

fn all<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(kind: &str, times: usize) {
    for name in messages(kind) {
        let refused = read_all(&format!("message/{name}"), times, plain::<T>);
        assert!(refused > times / 2, "{name}: {refused} of {times} were refused");
    }
}

/// A sealed document, and whether its file reads as something else.
struct OnDisk<T> {
    document: T,
    file: Vec<u8>,
}

impl<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug> OnDisk<T> {
    fn new(name: &str) -> Self {
        let document: T = serde_json::from_slice(&golden(name)).unwrap();
        let file = sealed::seal(&document).unwrap();
        Self { document, file }
    }

    /// Whether a damaged file is refused; what is read is what was written.
    fn refuses(&self, damaged: &[u8]) -> bool {
        match sealed::open::<T>(damaged) {
            Err(error) => {
                is_clear(&error.to_string());
                true
            }
            Ok(read) => {
                assert_eq!(read, self.document, "{}", String::from_utf8_lossy(damaged));
                false
            }
        }
    }

    fn damaged(&self, times: usize) {
        let mut random = Random(0xd15c);
        for _ in 0..times {
            let damaged = damage(&self.file, &mut random);
            // A piece that was put where it was, or the line's end that is gone.
            let same = damaged == self.file || [&damaged, "\n".as_bytes()].concat() == self.file;
            assert_eq!(self.refuses(&damaged), !same, "{}", String::from_utf8_lossy(&damaged));
        }
    }

    fn each_bit(&self) {
        for at in 0..self.file.len() {
            for bit in 0..8 {
                let mut damaged = self.file.clone();
                damaged[at] ^= 1 << bit;
                assert!(self.refuses(&damaged), "byte {at}, bit {bit} was not noticed");
            }
        }
    }

    fn each_length(&self) {
        for length in 0..self.file.len() - 1 {
            assert!(self.refuses(&self.file[..length]), "{length} bytes were read");
        }
    }
}

pub fn records_on_disk(times: usize) {
    OnDisk::<Record>::new("message/record.json").damaged(times);
    OnDisk::<Confirmed>::new("message/confirmed.json").damaged(times);
}

#[test]
fn every_flipped_bit_of_a_sealed_document_is_noticed() {
    OnDisk::<Record>::new("message/record.json").each_bit();
    OnDisk::<Confirmed>::new("message/confirmed.json").each_bit();
}

#[test]
fn every_cut_of_a_sealed_document_is_noticed() {
    OnDisk::<Record>::new("message/record.json").each_length();
    OnDisk::<Confirmed>::new("message/confirmed.json").each_length();
}
