//! `deploy new` on a terminal, in a fleet without secrets, for which no Nix is needed.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::{
    fs,
    io::{Read, Write},
    path::Path,
    process::{Command, Stdio},
};

const FLAKE: &str = "{ outputs = inputs: inputs.deploy.lib.fleet { inherit (inputs) self; machines = ./machines; }; }";

const KEYS: &str = "{\n  admins = {\n    # you = \"…\";\n  };\n  machines = { };\n}\n";

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0qz7RS5vMz5+eZRMrcul8AWoBdxnDrSx2HN16avSKV joe";

/// The end of each question, and the line that is typed then.
const ANSWERS: [(&str, &str); 8] = [
    ("[x86_64-linux]: ", ""),
    ("in the installer: ", "sda"),
    ("in the installer: ", "/dev/disk/by-id/ata-X"),
    ("to reach it: ", "192.168.2.50"),
    ("[ssh]: ", "homepage nothing"),
    ("[ssh]: ", "homepage restic"),
    ("home.example.org: ", "home.example.org"),
    ("id_ed25519.pub]: ", ""),
];

/// Types the answers on a terminal of `script`, each once its question stands there; gives all that was
/// printed. What is typed too early is thrown away by the question.
fn answered(folder: &Path) -> String {
    let line = format!("{} new frame2", env!("CARGO_BIN_EXE_deploy"));
    let mut child = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(folder)
        .env("HOME", folder)
        .env("USER", "joe")
        .env("TERM", "dumb")
        .env_remove("RULES")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut said, mut seen) = (Vec::new(), 0);
    let mut byte = [0];
    let mut answers = ANSWERS.iter();
    let mut next = answers.next();
    while stdout.read(&mut byte).unwrap() > 0 {
        said.push(byte[0]);
        if let Some((question, line)) = next
            && said[seen..].ends_with(question.as_bytes())
        {
            seen = said.len();
            writeln!(stdin, "{line}").unwrap();
            next = answers.next();
        }
    }
    let said = String::from_utf8_lossy(&said).replace("\r\n", "\n");
    assert!(child.wait().unwrap().success(), "{said}");
    said
}

#[test]
fn what_no_flag_says_is_asked_for_until_it_can_be_used() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|folder| folder.join("script").exists()) {
        println!("skipped: there is no `script` on PATH, which makes a terminal");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |inside: &str| folder.path().join(inside);
    fs::create_dir(at("machines")).unwrap();
    fs::create_dir(at(".ssh")).unwrap();
    fs::write(at("flake.nix"), FLAKE).unwrap();
    fs::write(at("machines/keys.nix"), KEYS).unwrap();
    fs::write(at(".ssh/id_ed25519.pub"), format!("{KEY}\n")).unwrap();
    let said = answered(folder.path());
    for words in [
        "a disk is a path below /dev",
        "machines/frame2 has default.nix, services.nix, disko.nix, hardware.nix",
        "machines/frame2-vm starts it on this computer",
        "machines/keys.nix has your key",
        "no key of its own was written: the flake has no rules of secrets",
        "next: deploy secrets new frame2, then deploy install frame2 --host 192.168.2.50",
    ] {
        assert!(said.contains(words), "no `{words}` in:\n{said}");
    }
    let read = |file: &str| fs::read_to_string(at(file)).unwrap();
    let with = format!("    # you = \"…\";\n    joe = \"{KEY}\";\n  }};\n");
    assert!(read("machines/keys.nix").contains(&with), "{}", read("machines/keys.nix"));
    assert!(read("machines/frame2/disko.nix").contains("device = \"/dev/disk/by-id/ata-X\";"));
    assert!(read("machines/frame2/services.nix").contains("sites = [ \"home.example.org\" ];"));
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|one| one.unwrap().path()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
}
