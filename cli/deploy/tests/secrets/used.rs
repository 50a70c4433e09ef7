//! What uses a secret, by a flake whose evaluation is a stand-in; `what-uses-a-secret-is-told-…` of
//! the shapes of flakes has Nix itself.

use serde_json::{Value, json};

use crate::fleet::{Fleet, are_here};

/// A fleet with secrets of joe's, and what machines declare of them.
pub fn declaring(names: &[&str], declared: Value) -> Option<Fleet> {
    if !are_here(&["ssh-keygen"]) {
        return None;
    }
    let fleet = Fleet::new();
    let joe = fleet.key("home/.ssh/id_ed25519", "ed25519", "");
    let keys = [joe.as_str()];
    let rules: Vec<(&str, &[&str])> = names.iter().map(|name| (*name, &keys[..])).collect();
    fleet.rules(&rules);
    fleet.missing(&[]);
    fleet.declares(declared);
    Some(fleet)
}

#[test]
fn the_machines_and_services_that_use_a_secret_are_told() {
    let tree = "/nix/store/00000000000000000000000000000000-source/secrets";
    let declared = json!({
        "frame1": [{ "file": format!("{tree}/a.age"), "services": ["grafana"], "generator": null }],
        "web": [{ "file": format!("{tree}/a.age"), "services": [] }],
    });
    let Some(fleet) = declaring(&["a.age", "b.age"], declared) else { return };
    fleet.deploy(&["list"]).says(
        0,
        &["; used by frame1 (grafana), web: not made yet", "; no machine uses it: not made yet"],
    );
    let listed = fleet.deploy(&["list", "a", "--json"]);
    let last = listed.says(0, &[]).out.lines().last().unwrap_or_default().to_owned();
    let document: Value = serde_json::from_str(&last).unwrap();
    assert_eq!(document["usedBy"][0], json!({ "machine": "frame1", "services": ["grafana"] }));
    let rules_alone = fleet.deploy(&["list", "--no-machines"]);
    assert!(!rules_alone.says(0, &["a.age: "]).out.contains("use"), "{}", rules_alone.out);
    // `check` is for the files alone.
    assert!(!fleet.deploy(&["check"]).says(1, &[]).out.contains("grafana"));
    fleet.program("nix", "case \"$*\" in *--file*) cat \"$HOME/rules.json\" ;; *) exit 1 ;; esac");
    let without = fleet.deploy(&["list"]);
    without.says(0, &["warning: which machines use a secret is not known", "a.age: "]);
}
