//! Secrets of a machine that make themselves.

use serde_json::{Value, json};

use crate::fleet::{Fleet, are_here};

fn missing(name: &str, generator: Option<Value>) -> Value {
    let mut secret = json!({
        "name": name, "file": format!("secrets/{name}.age"), "path": format!("/run/agenix/{name}"),
        "mode": "0400", "owner": "root", "group": "root", "identityPaths": [], "ageBin": "",
        "hint": format!("the hint of {name}"),
    });
    if let Some(generator) = generator {
        secret["generator"] = generator;
    }
    secret
}

fn fleet(secrets: &[Value]) -> Option<Fleet> {
    if !are_here(&["ssh-keygen", "script"]) {
        return None;
    }
    let fleet = Fleet::new();
    let joe = fleet.key("home/.ssh/id_ed25519", "ed25519", "");
    let keys = [joe.as_str()];
    let names: Vec<String> =
        secrets.iter().map(|secret| format!("{}.age", secret["name"].as_str().unwrap())).collect();
    let rules: Vec<(&str, &[&str])> = names.iter().map(|name| (name.as_str(), &keys[..])).collect();
    fleet.rules(&rules);
    fleet.missing(secrets);
    Some(fleet)
}

#[test]
fn a_machine_s_missing_secrets_make_themselves_and_the_rest_is_left_or_asked() {
    let program = json!({ "kind": "command", "command": ["sh", "-c", "pwd; echo \"$0\"", "word"] });
    let secrets = [
        missing("asked", None),
        missing("hex", Some(json!({ "kind": "hex", "length": 8 }))),
        missing("program", Some(program)),
        missing("random", Some(json!({ "kind": "random", "length": 20, "alphabet": "ab" }))),
        missing("ssh", Some(json!({ "kind": "ssh-key" }))),
    ];
    let Some(fleet) = fleet(&secrets) else { return };
    let said = fleet.deploy(&["new", "frame1", "--generate"]);
    let left = "asked.age: left (the hint of asked): deploy secrets new asked.age";
    said.says(
        0,
        &[left, "git add secrets/ssh.age secrets/ssh.pub", "1 of 5 missing secrets were left"],
    );
    let text = |name: &str| fleet.deploy(&["show", name]).says(0, &[]).out.clone();
    assert_eq!(text("hex").len(), 16);
    assert_eq!(text("program"), format!("{}\nword\n", fleet.path("repo").display()));
    let random = text("random");
    assert!(random.len() == 20 && random.chars().all(|c| matches!(c, 'a' | 'b')), "{random}");
    assert!(text("ssh").starts_with("-----BEGIN OPENSSH PRIVATE KEY-----"));
    let public = std::fs::read_to_string(fleet.secret("ssh.pub")).unwrap();
    assert!(public.starts_with("ssh-ed25519 "), "{public}");
    // Nothing that is there is made again.
    let again = fleet.deploy(&["new", "frame1", "--generate"]);
    again.says(0, &["random.age: is there; the flake does not see it: git add secrets/random.age"]);
    assert_eq!(text("random"), random);
    let nobody = fleet.deploy(&["new", "frame1"]);
    nobody
        .says(1, &["asked.age was not made", "could not be asked for", "--generate asks nothing"]);
    let typed = fleet.typing(&["new", "frame1"], "a word");
    typed.says(0, &["the hint of asked (Enter leaves it):", "asked.age: encrypted to"]);
    assert_eq!(text("asked"), "a word");
    assert!(!typed.out.contains("encrypted to a word"));
}

#[test]
fn what_cannot_make_itself_says_why_and_what_is_there_already() {
    let fails = json!({ "kind": "command", "command": ["sh", "-c", "echo broken >&2; exit 3"] });
    let secrets = [missing("a", Some(json!({ "kind": "uuid" }))), missing("b", Some(fails))];
    let Some(fleet) = fleet(&secrets) else { return };
    let said = fleet.deploy(&["new", "frame1", "--generate"]);
    said.says(1, &["the secret b.age was not made", "broken", "state: made: a.age"]);
    fleet.deploy(&["new", "b", "--generate"]).says(1, &["no machine declares what"]);
    fleet.missing(&[missing("c", Some(json!({ "kind": "uuid" })))]);
    let said = fleet.deploy(&["new", "frame1", "--generate"]);
    said.says(1, &["nobody could read the secret c", "has no rule for c.age"]);
    fleet.missing(&[missing("a", Some(json!({ "kind": "command", "command": [] })))]);
    std::fs::remove_file(fleet.secret("a.age")).unwrap();
    let said = fleet.deploy(&["new", "frame1", "--generate"]);
    said.says(1, &["its generator names no program", "state: nothing was changed"]);
    fleet.missing(&[]);
    fleet.deploy(&["new", "frame1"]).says(0, &["frame1: no secret is missing"]);
    fleet.deploy(&["new", "frame2"]).says(1, &["frame2"]);
}
