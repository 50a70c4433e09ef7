//! Rules as people write them, by Nix itself.

use std::fs;

use crate::fleet::{Fleet, are_here};

/// A fleet whose Nix is that of this computer.
fn fleet() -> Option<(Fleet, String)> {
    if !are_here(&["nix", "ssh-keygen"]) {
        return None;
    }
    let fleet = Fleet::new();
    fs::remove_file(fleet.path("bin/nix")).unwrap();
    let key = fleet.key("home/.ssh/id_ed25519", "ed25519", "");
    Some((fleet, key))
}

#[test]
fn the_shapes_that_people_write_are_evaluated() {
    let Some((fleet, key)) = fleet() else { return };
    fleet.write("repo/keys/default.nix", format!("{{ joe = \"{key}\"; }}"));
    fleet.write("repo/keys/joe.pub", format!("{key}\n"));
    let computed = "let keys = import ../keys; all = [ [ keys.joe ] ]; in
        { \"b.age\" = { publicKeys = [ all (builtins.readFile ../keys/joe.pub) ]; armor = true; }; }
        // builtins.listToAttrs (map (name: { name = \"${name}.age\"; value.publicKeys = all; }) [ \"a\" ])";
    fleet.write("repo/secrets/secrets.nix", computed);
    fleet.deploy(&["list"]).says(0, &["a.age: joe: not made yet", "b.age: joe: not made yet"]);
    fleet.given(&["new", "b"], b"x").says(0, &[]);
    assert!(fs::read(fleet.secret("b.age")).unwrap().starts_with(b"-----BEGIN AGE"));
    fs::remove_dir_all(fleet.path("repo/secrets")).unwrap();
    fleet.write("repo/machines/x.nix", "");
    let at_the_root = "{ \"secrets/web/c.age\".publicKeys = [ (import ./keys).joe ]; }";
    fleet.write("repo/secrets.nix", at_the_root);
    let mut inside = fleet.command(&["new", "secrets/web/c"]);
    let text = fleet.write("text", "x");
    let ended =
        inside.current_dir(fleet.path("repo/machines")).stdin(fs::File::open(text).unwrap());
    assert!(ended.output().unwrap().status.success());
    assert!(fleet.path("repo/secrets/web/c.age").exists());
    fleet.deploy(&["check"]).says(0, &["1 secrets are encrypted"]);
}

#[test]
fn rules_that_cannot_be_evaluated_say_why() {
    let Some((fleet, key)) = fleet() else { return };
    let outside = fleet.write("outside.nix", format!("\"{key}\"")).display().to_string();
    let nixpkgs = fleet.write("nixpkgs/default.nix", format!("{{ }}: {{ key = \"{key}\"; }}"));
    let nixpkgs = nixpkgs.parent().unwrap().display().to_string();
    let reads_outside = format!("{{ \"a.age\".publicKeys = [ (import {outside}) ]; }}");
    let rules = |text: &str| fleet.write("repo/secrets/secrets.nix", text);
    for (text, why) in [
        ("{ \"a.age\".publicKeys = [ missing ]; }", "undefined variable 'missing'"),
        ("{ \"a.age\".publicKeys = ", "syntax error"),
        ("{ pkgs }: { }", "it is a lambda, not a set"),
        ("{ \"a.age\".publicKeys = throw \"no keys\"; }", "no keys"),
        ("{ \"a.age\".publicKeys = [ (x: x) ]; }", "a key that is none: a lambda, not a text"),
        ("{ \"a.age\".publicKeys = [ ./x.pub ]; }", "a key that is none: a path, not a text"),
        ("{ \"a.age\".publickeys = [ ]; }", "has no publicKeys: it has publickeys"),
        (reads_outside.as_str(), "-- --impure"),
        ("{ \"a.age\".publicKeys = [ (import <nixpkgs> { }).key ]; }", "-- --impure"),
    ] {
        rules(text);
        fleet.deploy(&["check"]).says(6, &[why, "state: nothing was changed"]);
    }
    let mut impure = fleet.command(&["list", "--", "--impure"]);
    let impure = impure.env("NIX_PATH", format!("nixpkgs={nixpkgs}")).output().unwrap();
    let said = String::from_utf8(impure.stdout).unwrap();
    assert!(said.starts_with("a.age: SHA256:"), "{said}");
    rules(&reads_outside);
    fleet.deploy(&["list", "--", "--impure"]).says(0, &["a.age: SHA256:"]);
}
