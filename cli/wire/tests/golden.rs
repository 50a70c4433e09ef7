//! The golden files: what is written today must be readable in the next version.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::path::{Path, PathBuf};

use deploy_wire::{
    baseline::Confirmed,
    machine::Machine,
    message::{Answered, Asked},
    record::Record,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

fn golden(folder: &str) -> Vec<(PathBuf, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()))
        .collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(!files.is_empty());
    files
}

/// Every golden file has every field, so reading and writing must give it back.
fn reads_and_writes_back<T: Serialize + DeserializeOwned>(path: &Path, json: &Value) {
    let value: T =
        serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    assert_eq!(&serde_json::to_value(value).unwrap(), json, "{path:?}");
}

#[test]
fn machine_json_reads_and_writes_back() {
    for (path, json) in golden("machine") {
        let machine =
            Machine::from_json(json.clone()).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let written = serde_json::to_value(&machine).unwrap();
        if path.ends_with("full.json") {
            assert_eq!(written, json);
        } else {
            assert_eq!(Machine::from_json(written).unwrap(), machine, "{path:?}");
        }
    }
}

#[test]
fn messages_read_and_write_back() {
    for (path, json) in golden("message") {
        let name = path.file_name().unwrap().to_str().unwrap();
        match name.split('-').next().unwrap() {
            "request" => reads_and_writes_back::<Asked>(&path, &json),
            "reply" => reads_and_writes_back::<Answered>(&path, &json),
            "record.json" => reads_and_writes_back::<Record>(&path, &json),
            "confirmed.json" => reads_and_writes_back::<Confirmed>(&path, &json),
            other => panic!("{other}: no such kind of message"),
        }
    }
}

fn refusal(change: impl FnOnce(&mut Value)) -> String {
    let (_, mut json) = golden("machine").remove(0);
    change(&mut json);
    Machine::from_json(json).unwrap_err().to_string()
}

#[test]
fn an_unknown_field_is_named() {
    let said = refusal(|json| json["ssh"]["hostnmae"] = "x".into());
    assert!(said.starts_with("ssh") && said.contains("`hostnmae`"), "{said}");
}

#[test]
fn a_wrong_type_is_named() {
    let said = refusal(|json| json["ssh"]["port"] = "22".into());
    assert!(said.starts_with("ssh.port: invalid type: string \"22\""), "{said}");
}

#[test]
fn another_version_is_refused_with_both_numbers() {
    let said = refusal(|json| json["version"] = 9.into());
    assert_eq!(said, "the document has version 9, this program reads 1");
}
