//! The release that a new machine begins with.

use std::fs;

use serde_json::Value;

use crate::scaffold::{answers, fleet_call::FleetCall};

/// What is taken where neither the lock file nor another machine says it.
const USUAL: &str = "26.05";

/// The release of the flake's nixpkgs, else the newest that another machine was installed with.
pub fn of(fleet: &FleetCall) -> String {
    let lock = fs::read_to_string(fleet.flake.join("flake.lock")).unwrap_or_default();
    locked(&lock).or_else(|| of_others(fleet)).unwrap_or_else(|| USUAL.into())
}

/// The release in the lock of nixpkgs: `nixos-26.05` is a branch.
fn locked(lock: &str) -> Option<String> {
    let lock: Value = serde_json::from_str(lock).ok()?;
    let root = lock["root"].as_str()?;
    let node = lock["nodes"][root]["inputs"]["nixpkgs"].as_str()?;
    let branch = lock["nodes"][node]["original"]["ref"].as_str()?;
    branch.split('-').find_map(|part| answers::release(part).ok())
}

fn of_others(fleet: &FleetCall) -> Option<String> {
    let folders = fs::read_dir(&fleet.machines).ok()?.filter_map(Result::ok);
    let texts =
        folders.filter_map(|folder| fs::read_to_string(folder.path().join("default.nix")).ok());
    texts.filter_map(|text| declared(&text)).max()
}

/// The `stateVersion` that a module has as a text.
pub fn declared(text: &str) -> Option<String> {
    let rest = text.lines().find_map(|line| {
        let line = line.split('#').next()?;
        line.split_once("stateVersion").map(|(_, rest)| rest.to_owned())
    })?;
    let quoted = rest.split_once('"')?.1.split_once('"')?.0.to_owned();
    answers::release(&quoted).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_that_of_nixpkgs_else_of_another_machine() {
        let lock = r#"{ "root": "root", "nodes": {
            "root": { "inputs": { "nixpkgs": "nixpkgs_2" } },
            "nixpkgs": { "original": { "ref": "nixos-20.03" } },
            "nixpkgs_2": { "original": { "ref": "nixos-26.05-small" } } } }"#;
        assert_eq!(locked(lock).as_deref(), Some("26.05"));
        assert_eq!(locked(&lock.replace("26.05-small", "unstable")), None);
        assert_eq!(locked(""), None);
        let text = "  # stateVersion = \"20.03\";\n  system.stateVersion = \"25.11\";\n";
        assert_eq!(declared(text).as_deref(), Some("25.11"));
        assert_eq!(declared("system.stateVersion = lib.trivial.release;"), None);
    }
}
