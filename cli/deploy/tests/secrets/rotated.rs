//! A single secret by what its machines declare, made and made anew.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    fleet::{Fleet, are_here},
    used::declaring,
};

fn declared(name: &str, generator: &Value) -> Value {
    let file = format!("/nix/store/00000000000000000000000000000000-source/secrets/{name}.age");
    json!({ "file": file, "services": ["x"], "hint": "never twice", "generator": generator })
}

fn text(fleet: &Fleet, name: &str) -> String {
    fleet.deploy(&["show", name]).says(0, &[]).out.clone()
}

/// What a program makes of a text on its standard input.
fn piped(program: &str, args: &[&str], text: &str) -> String {
    let mut command = Command::new(program);
    let mut child =
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program} {args:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_hash_is_made_with_its_password_as_a_secret_of_its_own_and_both_rotate_together() {
    let by = json!({ "kind": "htpasswd", "user": "joe", "length": 20, "password": "login" });
    let machines = json!({ "frame1": [declared("hash", &by)], "web": [declared("hash", &by)] });
    let Some(fleet) = declaring(&["hash.age", "login.age"], machines) else { return };
    let made = fleet.deploy(&["new", "hash", "--generate"]);
    made.says(0, &["git add secrets/hash.age", "secrets/login.age: the password in clear text"]);
    let verify = |fleet: &Fleet| {
        let (line, password) = (text(fleet, "hash"), text(fleet, "login"));
        assert_eq!((line.starts_with("joe:$2y$"), password.len()), (true, 20), "{line}");
        if are_here(&["htpasswd"]) {
            let file = fleet.write("users", &line).display().to_string();
            piped("htpasswd", &["-v", "-i", &file, "joe"], &password);
        }
        password
    };
    let first = verify(&fleet);
    fleet.deploy(&["new", "hash", "--generate"]).says(1, &["is there already"]);
    let rotated = fleet.deploy(&["rotate", "hash", "--generate"]);
    rotated.says(0, &["hash.age: encrypted to", "; then deploy frame1 web"]);
    assert_ne!(verify(&fleet), first);
    let password = fleet.deploy(&["rotate", "login", "--generate"]);
    password.says(1, &["it is the password whose hash is hash.age", "rotate hash.age"]);
    // A new hash never comes without its password, nor the other way round.
    fs::remove_file(fleet.secret("hash.age")).unwrap();
    let refused = fleet.deploy(&["new", "hash", "--generate"]);
    refused.says(1, &["the secret login.age is there already", "nothing was changed"]);
    assert!(!fleet.secret("hash.age").exists());
    let joe = fs::read_to_string(fleet.path("home/.ssh/id_ed25519.pub")).unwrap();
    fleet.rules(&[("hash.age", &[joe.trim()])]);
    let refused = fleet.deploy(&["new", "hash", "--generate"]);
    refused.says(1, &["has no rule for login.age", "add one, for those who are to know it"]);
}

#[test]
fn a_key_s_public_half_is_written_with_it_or_not_at_all() {
    let machines = json!({ "frame1": [declared("wg", &json!({ "kind": "wireguard" }))] });
    let Some(fleet) = declaring(&["wg.age"], machines) else { return };
    let made = fleet.deploy(&["new", "wg", "--generate"]);
    made.says(0, &["git add secrets/wg.age secrets/wg.pub"]);
    let halves = |fleet: &Fleet| {
        let public = fs::read_to_string(fleet.secret("wg.pub")).unwrap();
        if are_here(&["wg"]) {
            assert_eq!(piped("wg", &["pubkey"], &text(fleet, "wg")), public);
        }
        public
    };
    let first = halves(&fleet);
    let rotated = fleet.deploy(&["rotate", "wg", "--generate"]);
    rotated.says(0, &["its public half is in secrets/wg.pub; then deploy frame1"]);
    let second = halves(&fleet);
    assert_ne!(second, first);
    // The public half cannot be written: a folder has its name.
    let before = fs::read(fleet.secret("wg.age")).unwrap();
    fs::remove_file(fleet.secret("wg.pub")).unwrap();
    fs::create_dir(fleet.secret("wg.pub")).unwrap();
    fleet.deploy(&["rotate", "wg", "--generate"]).says(1, &["wg.pub", "nothing was changed"]);
    assert_eq!(fs::read(fleet.secret("wg.age")).unwrap(), before);
}

#[test]
fn what_no_machine_knows_how_to_make_is_rotated_by_hand() {
    let machines = json!({ "frame1": [declared("a", &Value::Null)], "web": [] });
    let Some(fleet) = declaring(&["a.age", "b.age"], machines) else { return };
    fleet.deploy(&["rotate", "a"]).says(1, &["was not rotated", "deploy secrets new a.age"]);
    fleet.given(&["new", "a"], b"one").says(0, &[]);
    fleet.deploy(&["rotate", "a", "--generate"]).says(1, &["no machine declares what makes it"]);
    fleet.deploy(&["rotate", "a"]).says(1, &["standard input is empty"]);
    fleet.write("repo/secrets/a.pub", "of before");
    let rotated = fleet.given(&["rotate", "a"], b"two");
    rotated.says(0, &["a.age: encrypted to", "; then deploy frame1", "a.pub is as it was"]);
    rotated.says(0, &["warning: a.age: its declaration says: never twice"]);
    assert_eq!(text(&fleet, "a"), "two");
    if are_here(&["script"]) {
        let edited =
            fleet.on_terminal(&["rotate", "a"], "sh -c '[ ! -s \"$1\" ] && echo 3 > \"$1\"' x");
        edited.says(0, &["then deploy frame1"]);
        assert_eq!(text(&fleet, "a"), "3\n");
    }
    let uuid = |kind: &str| json!({ "kind": kind });
    let two =
        json!({ "frame1": [declared("b", &uuid("uuid"))], "web": [declared("b", &uuid("hex"))] });
    fleet.declares(two);
    let refused = fleet.deploy(&["new", "b", "--generate"]);
    refused.says(1, &["b.age has two generators", "frame1 and web declare different ones"]);
    if are_here(&["script"]) {
        fleet.declares(json!({ "frame1": [declared("b", &uuid("uuid"))] }));
        let made = fleet.on_terminal(&["new", "b"], "false");
        made.says(0, &["b.age: encrypted to"]);
        assert_eq!(text(&fleet, "b").len(), 36);
    }
}
