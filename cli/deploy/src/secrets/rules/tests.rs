use serde_json::json;

use super::*;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0qz7RS5vMz5+eZRMrcul8AWoBdxnDrSx2HN16avSKV";
const OTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIxQkufXqy5uEje9WU9igU6s80jhYsTqTAbn/9GvdTwA";

fn read(rules: Value) -> Result<SecretRules> {
    let folder = PathBuf::from("/fleet/secrets");
    let at = RulesFile {
        file: folder.join("secrets.nix"),
        root: folder.parent().unwrap().to_owned(),
        folder,
    };
    SecretRules::read(&at, rules)
}

#[test]
fn the_shapes_that_people_write_are_read() {
    let rules = read(json!({ "rules": {
        "a.age": { "publicKeys": [KEY, [OTHER, [KEY]]] },
        "web/b.age": { "publicKeys": format!("# mine\n{KEY} joe\n\n{OTHER}\n"), "armor": true },
        "./c": { "publicKeys": [format!("{KEY}\n")], "armor": null },
    } }));
    let rules = rules.unwrap();
    let of = |name: &str| rules.list.iter().find(|rule| rule.name == name).unwrap();
    assert_eq!((of("a.age").recipients.len(), of("a.age").armor), (2, false));
    assert_eq!((of("web/b.age").recipients.len(), of("web/b.age").armor), (2, true));
    assert_eq!(of("./c").path, Path::new("/fleet/secrets/c"));
    assert_eq!(rules.recipients().len(), 2);
    let here = Path::new("/fleet/machines");
    for word in ["a.age", "a", "../secrets/a.age", "/fleet/secrets/a.age"] {
        assert_eq!(rules.named(word, here).map(|rule| rule.name.as_str()), Some("a.age"), "{word}");
    }
    assert!(rules.named("../a.age", here).is_none());
}

#[test]
fn each_rule_that_is_wrong_is_named_with_its_reason() {
    let one = || json!({ "publicKeys": [KEY] });
    for (name, rule, why) in [
        ("a", json!({ "publickeys": [KEY], "fields": ["publickeys"] }), "it has publickeys"),
        ("a", json!({ "publicKeys": null, "fields": [] }), "has no publicKeys: it has nothing"),
        ("a", json!({ "publicKeys": [] }), "has no publicKeys: the list is empty"),
        ("a", json!({ "publicKeys": [[""]] }), "has a key that is none, ``: "),
        ("a", json!({ "publicKeys": [KEY, "joe"] }), "has a key that is none, `joe`: "),
        ("a", json!({ "publicKeys": [{ "kind": "set" }] }), "a set, not a text"),
        ("a", json!({ "publicKeys": [KEY], "armor": "string" }), "neither true nor false"),
        ("a", json!({ "kind": "lambda" }), "is a lambda, not a set with publicKeys"),
        ("../a", one(), "a name has no `..`"),
        ("b/../../a", one(), "a name has no `..`"),
        ("a\nb", one(), "a line break"),
        ("/etc/a", one(), "is an absolute path"),
        ("a/", one(), "names no file"),
        ("", one(), "names no file"),
    ] {
        let refused = read(json!({ "rules": { name: rule } })).unwrap_err();
        let named = format!("the rule `{}` ", name.replace('\n', "\\n"));
        let cause = &refused.causes[0];
        assert!(cause.starts_with(&named) && cause.contains(why), "{name}: {refused}");
    }
    let twice = read(json!({ "rules": { "a": one(), "./a": one() } })).unwrap_err();
    assert_eq!(twice.causes, ["the rules `./a` and `a` are for one file, /fleet/secrets/a"]);
    let two = read(json!({ "rules": { "a": { "kind": "int" }, "b": { "kind": "int" } } }));
    assert_eq!(two.unwrap_err().what, "2 rules in /fleet/secrets/secrets.nix are wrong");
    let function = read(json!({ "kind": "lambda" })).unwrap_err();
    assert_eq!(function.causes, ["it is a lambda, not a set"]);
}
