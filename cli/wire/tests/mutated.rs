//! Damaged input: whatever is done to a document or a loader's file, reading it gives a value
//! or one clear error, never a panic. The changes are the same in every run.

use std::{collections::BTreeMap, path::Path};

use deploy_wire::{
    baseline::Confirmed,
    loader::{LoaderFiles, SystemdBoot, Variables},
    machine::Machine,
    message::{Asked, Reply},
    outcome::BootDefault,
    record::Record,
    sealed,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// How many damaged inputs of each kind are read.
const TIMES: usize = 10_000;

/// xorshift64: no crate's next version changes the inputs.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

/// Flips bits, cuts, doubles, removes and moves pieces of a text.
fn damage(text: &[u8], random: &mut Random) -> Vec<u8> {
    let mut text = text.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(text.len());
        let end = (at + 1 + random.below(40)).min(text.len());
        match random.below(6) {
            _ if text.is_empty() => {}
            0 => text.truncate(at),
            1 => drop(text.drain(at..end)),
            2 => {
                let piece = text[at..end].to_vec();
                let to = random.below(text.len());
                text.splice(to..to, piece);
            }
            3 => text[at] = u8::try_from(random.below(256)).unwrap(),
            4 => text[at..end].reverse(),
            _ => text[at] ^= 1 << random.below(8),
        }
    }
    text
}

/// Removes, replaces, renames or adds one value somewhere in a document.
fn change(value: &mut Value, random: &mut Random) {
    let odd = [
        Value::Null,
        json!(-1),
        json!(u64::MAX),
        json!(1.5),
        json!(""),
        json!("/nix/store/x"),
        json!([]),
        json!({}),
        json!(true),
        json!("\u{0}\u{202e}\n"),
    ];
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let key = fields.keys().nth(random.below(fields.len())).unwrap().clone();
            match random.below(5) {
                0 => drop(fields.remove(&key)),
                1 => drop(fields.insert(key, odd[random.below(odd.len())].clone())),
                2 => drop(fields.insert(format!("{key}x"), json!(1))),
                _ => change(fields.get_mut(&key).unwrap(), random),
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let at = random.below(items.len());
            change(&mut items[at], random);
        }
        other => *other = odd[random.below(odd.len())].clone(),
    }
}

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    std::fs::read(folder.join(name)).unwrap()
}

/// An error that people are shown: words, and not the whole document.
fn is_clear(error: &str) {
    assert!(!error.trim().is_empty(), "an error without a word");
    assert!(error.len() < 2_000, "an error of {} bytes: {error:.300}", error.len());
}

/// Reads damaged texts and changed documents; what is read can be written and read again.
/// How many were refused.
fn read_all<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    name: &str,
    read: impl Fn(Value) -> Result<T, String>,
) -> usize {
    let whole = golden(name);
    let mut random = Random(0x5eed_0000 + u64::try_from(name.len()).unwrap());
    let mut refused = 0;
    for round in 0..TIMES {
        let document = if round % 2 == 0 {
            serde_json::from_slice(&damage(&whole, &mut random)).map_err(|error| error.to_string())
        } else {
            let mut document: Value = serde_json::from_slice(&whole).unwrap();
            change(&mut document, &mut random);
            Ok(document)
        };
        match document.and_then(&read) {
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

#[test]
fn a_damaged_machine_json_is_refused_or_read() {
    let read = |value| Machine::from_json(value).map_err(|error| error.to_string());
    assert!(read_all("machine/full.json", read) > TIMES / 2);
}

#[test]
fn a_damaged_record_is_refused_or_read() {
    assert!(read_all("message/record.json", plain::<Record>) > TIMES / 2);
    assert!(read_all("message/confirmed.json", plain::<Confirmed>) > TIMES / 2);
}

/// Flips each bit of a document as it is on a machine's disk: it is refused, or the same is read.
fn flip_all<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(name: &str) {
    let document: T = serde_json::from_slice(&golden(name)).unwrap();
    let file = sealed::seal(&document).unwrap();
    let mut refused = 0;
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut damaged = file.clone();
            damaged[at] ^= 1 << bit;
            match sealed::open::<T>(&damaged) {
                Ok(read) => assert_eq!(read, document, "byte {at}, bit {bit}"),
                Err(error) => {
                    is_clear(&error.to_string());
                    refused += 1;
                }
            }
        }
    }
    assert_eq!(refused, file.len() * 8, "a damaged file was read");
}

#[test]
fn every_flipped_bit_of_a_sealed_document_is_noticed() {
    flip_all::<Record>("message/record.json");
    flip_all::<Confirmed>("message/confirmed.json");
}

#[test]
fn a_damaged_message_is_refused_or_read() {
    assert!(read_all("message/request-stage.json", plain::<Asked>) > TIMES / 2);
    assert!(read_all("message/request-confirm.json", plain::<Asked>) > TIMES / 2);
    assert!(read_all("message/reply-status.json", plain::<Reply>) > TIMES / 2);
    assert!(read_all("message/reply-ended.json", plain::<Reply>) > TIMES / 2);
}

const SYSTEM: &str = "/nix/store/11111111111111111111111111111111-nixos-system";
const OTHER: &str = "/nix/store/22222222222222222222222222222222-nixos-system";

/// Damages a file; a default that is told is one of those that the file named, or differs
/// from them by the damage alone.
fn loader(text: &str, files: impl Fn(String) -> LoaderFiles) {
    let whole = files(text.to_owned()).boot_default();
    assert_eq!(whole.known().map(|path| path.as_str()), Some(SYSTEM), "{whole}");
    let mut random = Random(0xb007);
    for _ in 0..TIMES {
        let damaged = damage(text.as_bytes(), &mut random);
        let damaged = String::from_utf8_lossy(&damaged).into_owned();
        match files(damaged.clone()).boot_default() {
            BootDefault::Unknown(why) => is_clear(&why),
            BootDefault::Known(path) => {
                assert!(damaged.contains(path.as_str()), "{path} is not in\n{damaged}");
            }
        }
    }
}

#[test]
fn a_damaged_grub_cfg_is_read_or_not_guessed_about() {
    let text = format!(
        "if [ \"${{saved_entry}}\" ]; then\n  set default=\"${{saved_entry}}\"\nelse\n  \
         set default=0\nfi\nmenuentry \"NixOS\" --class nixos {{\n  linux ($drive1)/k \
         init={SYSTEM}/init loglevel=4\n  initrd ($drive1)/i\n}}\nsubmenu \"All\" {{\n\
         menuentry \"NixOS - 1\" {{\n  linux ($drive1)/k init={OTHER}/init\n}}\n}}\n"
    );
    loader(&text, |grub| LoaderFiles { grub: Some(grub), ..LoaderFiles::default() });
}

#[test]
fn a_damaged_extlinux_conf_is_read_or_not_guessed_about() {
    let text = format!(
        "DEFAULT nixos-default\nTIMEOUT 50\nLABEL nixos-default\n  LINUX ../nixos/k\n  \
         APPEND init={SYSTEM}/init loglevel=4\nLABEL nixos-1-default\n  APPEND init={OTHER}/init\n"
    );
    loader(&text, |extlinux| LoaderFiles { extlinux: Some(extlinux), ..LoaderFiles::default() });
}

#[test]
fn damaged_files_of_systemd_boot_are_read_or_not_guessed_about() {
    let text = format!(
        "timeout 5\ndefault nixos-generation-2*\n--\nsort-key nixos\nversion Generation 2\n\
         options init={SYSTEM}/init loglevel=4\n--\nversion Generation 10\noptions \
         init={OTHER}/init\n--\nnixos-generation-2.conf"
    );
    loader(&text, |text| {
        let mut parts = text.split("--\n").map(str::to_owned);
        let mut part = || parts.next().unwrap_or_default();
        let (loader_conf, two, ten, name) = (part(), part(), part(), part());
        let entries: BTreeMap<_, _> =
            [(name, two), ("nixos-generation-10.conf".into(), ten)].into();
        let found =
            SystemdBoot { loader_conf, entries, images: vec![], variables: Variables::None };
        LoaderFiles { systemd_boot: Some(found), ..LoaderFiles::default() }
    });
}
