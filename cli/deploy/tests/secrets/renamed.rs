//! Removing and renaming.

use crate::fleet::{Fleet, are_here};

#[test]
fn a_secret_is_renamed_once_the_rules_have_its_new_name_and_removed_when_asked() {
    if !are_here(&["ssh-keygen"]) {
        return;
    }
    let fleet = Fleet::new();
    let joe = fleet.key("home/.ssh/id_ed25519", "ed25519", "");
    let other = fleet.key("other", "ed25519", "");
    fleet.rules(&[("a.age", &[&joe]), ("c.age", &[&joe])]);
    fleet.given(&["new", "a"], b"one").says(0, &[]);
    fleet.given(&["new", "c"], b"three").says(0, &[]);
    fleet.deploy(&["rename", "a", "b"]).says(1, &["has no rule for `b`", "change its name in"]);
    fleet.deploy(&["rename", "a", "c"]).says(1, &["secrets/c.age is there already"]);
    fleet.rules(&[("web/b.age", &[&joe, &other]), ("c.age", &[&joe])]);
    fleet.deploy(&["rename", "x", "web/b"]).says(1, &["no rule is for `x`"]);
    fleet.deploy(&["rename", "a", "web/b"]).says(0, &["web/b.age: was a.age; git add"]);
    assert!(!fleet.secret("a.age").exists());
    let other = fleet.path("other").display().to_string();
    assert_eq!(fleet.deploy(&["show", "web/b", "-i", &other]).says(0, &[]).out, "one");
    // With the same readers no key is needed.
    fleet.rules(&[("d.age", &[&joe])]);
    std::fs::remove_file(fleet.path("home/.ssh/id_ed25519")).unwrap();
    fleet.deploy(&["rename", "c", "d"]).says(0, &["d.age: was c.age"]);

    fleet.deploy(&["rm", "d"]).says(1, &["the secret d.age was not removed", "--yes answers"]);
    fleet.deploy(&["rm", "d", "--yes"]).says(0, &["its rule is still in secrets/secrets.nix"]);
    fleet.deploy(&["rm", "d", "--yes"]).says(1, &["there is no secrets/d.age"]);
    fleet.deploy(&["rm", "web/b.age", "--yes"]).says(0, &["removed secrets/web/b.age"]);
    fleet.deploy(&["rm", "../secrets", "--yes"]).says(1, &["no rule is for"]);
    fleet.deploy(&["rm", "secrets.nix", "--yes"]).says(1, &["no rule is for"]);
}
