//! Private keys with a passphrase: it is asked once, however many files there are.

use std::{fs, process::Command};

use crate::fleet::{Fleet, are_here, run};

fn asked(said: &str, question: &str) -> usize {
    said.matches(question).count()
}

#[test]
fn the_passphrase_of_an_ssh_key_is_asked_once_for_a_rekey() {
    if !are_here(&["ssh-keygen", "script"]) {
        return;
    }
    let fleet = Fleet::new();
    let joe = fleet.key("home/.ssh/id_ed25519", "ed25519", "two words");
    let other = fleet.key("other", "ed25519", "");
    let names = ["a.age", "b.age", "c.age"];
    let rules = |keys: &[&str]| {
        let all: Vec<(&str, &[&str])> = names.iter().map(|name| (*name, keys)).collect();
        fleet.rules(&all);
    };
    rules(&[&joe]);
    for name in names {
        fleet.given(&["new", name], name.as_bytes()).says(0, &[]);
    }
    rules(&[&joe, &other]);
    fleet.deploy(&["rekey"]).says(1, &["its passphrase could not be asked for", "nothing was"]);
    let rekeyed = fleet.typing(&["rekey"], "two words");
    rekeyed.says(0, &["3 secrets were encrypted anew"]);
    assert_eq!(asked(&rekeyed.out, "passphrase of "), 1, "{}", rekeyed.out);
    // A key that opens all of them without a passphrase is taken first: nothing is asked.
    rules(&[&other]);
    let keys = [fleet.path("home/.ssh/id_ed25519"), fleet.path("other")];
    let keys = keys.map(|key| key.display().to_string());
    let rekeyed = fleet.deploy(&["rekey", "-i", &keys[0], "-i", &keys[1]]);
    rekeyed.says(0, &["3 secrets were encrypted anew"]);
}

#[test]
fn the_passphrase_of_a_file_with_keys_of_age_s_is_asked_once_for_a_rekey() {
    if !are_here(&["age", "age-keygen", "script", "ssh-keygen"]) {
        return;
    }
    let fleet = Fleet::new();
    let other = fleet.key("other", "ed25519", "");
    let native = fleet.path("native").display().to_string();
    run("age-keygen", &["-o", &native]);
    let key = run("age-keygen", &["-y", &native]).trim().to_owned();
    let closed = fleet.path("closed").display().to_string();
    let line = format!("age -p -a -o {closed} {native}");
    let mut locks = Command::new("script");
    let typed = fleet.write("typed", "two words\ntwo words\n");
    locks.args(["-qec", &line, "/dev/null"]).stdin(fs::File::open(typed).unwrap());
    assert!(locks.output().unwrap().status.success());
    fleet.rules(&[("a.age", &[&key]), ("b.age", &[&key])]);
    for name in ["a", "b"] {
        fleet.given(&["new", name], name.as_bytes()).says(0, &[]);
    }
    fleet.rules(&[("a.age", &[&key, &other]), ("b.age", &[&key, &other])]);
    let rekeyed = fleet.typing(&["rekey", "-i", &closed], "two words");
    rekeyed.says(0, &["2 secrets were encrypted anew"]);
    let questions = rekeyed.out.matches("passphrase").count();
    assert_eq!(questions, 1, "{}", rekeyed.out);
    let other = fleet.path("other").display().to_string();
    assert_eq!(fleet.deploy(&["show", "b", "-i", &other]).says(0, &[]).out, "b");
    let wrong = fleet.typing(&["show", "a", "-i", &closed], "wrong");
    wrong.says(6, &["cannot be decrypted", "the private key's passphrase is wrong"]);
}
