//! Files that `age` and `rage` write are read, and the other way round.

use std::fs;

use crate::fleet::{Fleet, are_here, opened, run};

const KINDS: [&str; 2] = ["ed25519", "rsa"];

fn both_ways(program: &str, keygen: &str) {
    if !are_here(&[program, keygen, "ssh-keygen"]) {
        return;
    }
    for kind in KINDS {
        for armor in [false, true] {
            let fleet = Fleet::new();
            let file = format!("home/.ssh/id_{kind}");
            let key = fleet.key(&file, kind, "");
            match armor {
                true => fleet.armored("a.age", &key),
                false => fleet.rules(&[("a.age", &[&key])]),
            }
            let secret = fleet.secret("a.age");
            fleet.given(&["new", "a"], b"ours\n").says(0, &["git add secrets/a.age"]);
            let begins = fs::read(&secret).unwrap().starts_with(b"-----BEGIN AGE");
            assert_eq!(begins, armor, "{kind}");
            assert_eq!(opened(program, &fleet.path(&file), &secret), "ours\n");
            let text = fleet.write("text", "theirs").display().to_string();
            let secret = secret.display().to_string();
            let mut args = vec!["-r", &key, "-o", &secret, &text];
            args.extend(armor.then_some("-a"));
            args.rotate_right(usize::from(armor));
            run(program, &args);
            assert_eq!(fleet.deploy(&["show", "a"]).says(0, &[]).out, "theirs");
            fleet.deploy(&["check"]).says(0, &["1 secrets are encrypted"]);
        }
    }
    let fleet = Fleet::new();
    let native = fleet.path("native").display().to_string();
    run(keygen, &["-o", &native]);
    let key = run(keygen, &["-y", &native]).trim().to_owned();
    fleet.rules(&[("a.age", &[&key])]);
    fleet.given(&["new", "a"], b"ours").says(0, &[]);
    assert_eq!(opened(program, &fleet.path("native"), &fleet.secret("a.age")), "ours");
    assert_eq!(fleet.deploy(&["show", "a", "-i", &native]).says(0, &[]).out, "ours");
}

#[test]
fn files_of_age_are_read_and_files_of_ours_by_age() {
    both_ways("age", "age-keygen");
}

#[test]
fn files_of_rage_are_read_and_files_of_ours_by_rage() {
    both_ways("rage", "rage-keygen");
}
