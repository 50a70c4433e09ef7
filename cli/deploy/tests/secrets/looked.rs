//! Looking at secrets, and what is refused about rules, keys and files.

use std::fs;

use serde_json::Value;

use crate::fleet::{Fleet, are_here};

#[test]
fn each_secret_is_told_with_its_readers_and_what_is_wrong_with_it() {
    if !are_here(&["ssh-keygen"]) {
        return;
    }
    let fleet = Fleet::new();
    let joe = fleet.key("home/.ssh/id_ed25519", "ed25519", "");
    let frame1 = fleet.key("frame1", "rsa", "");
    let native = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let keys = format!("{{ admins.joe = \"{joe}\"; machines = {{ frame1 = \"{frame1}\"; }}; }}");
    fleet.write("repo/keys.nix", keys);
    fleet.write("repo/secrets/secrets.nix", "import ../keys.nix");
    let before: [(&str, &[&str]); 4] = [
        ("a.age", &[&joe, &frame1]),
        ("b.age", &[&joe]),
        ("c.age", &[&joe, native]),
        ("web/d.age", &[&joe, &frame1]),
    ];
    fleet.rules(&before);
    for name in ["a", "b", "c", "web/d"] {
        fleet.given(&["new", name], b"x").says(0, &[]);
    }
    fleet.deploy(&["check"]).says(0, &["4 secrets are encrypted to", "of 1 some keys are counted"]);
    assert_eq!(fleet.times_nix_was_asked(), 5, "once for each command");
    let now: [(&str, &[&str]); 5] = [
        ("a.age", &[&joe]),
        ("b.age", &[&joe, &frame1]),
        ("c.age", &[&joe]),
        ("web/d.age", &[&joe, &frame1]),
        ("e.age", &[&joe]),
    ];
    fleet.rules(&now);
    fs::write(fleet.secret("web/d.age"), "age-encryption.org/v1\n-> X").unwrap();
    let listed = fleet.deploy(&["list"]);
    listed.says(
        0,
        &[
            "a.age: admins.joe: not encrypted to them\n  but to SHA256:",
            "b.age: admins.joe, frame1: not encrypted to them\n  not to frame1\n",
            "c.age: admins.joe: not encrypted to them\n  to 1 of age's own keys, where the rule has 0",
            "e.age: admins.joe: not made yet (secrets/e.age)",
            "web/d.age: admins.joe, frame1: damaged: ",
        ],
    );
    fleet.deploy(&["check"]).says(1, &["5 of 5 secrets are to be mended"]);
    fleet.deploy(&["check", "b.age", "secrets/b.age"]).says(1, &["1 of 1 secrets are to"]);
    let json = fleet.deploy(&["list", "--json", "b"]);
    let document: Value = serde_json::from_str(json.says(0, &[]).out.trim()).unwrap();
    assert_eq!(document["state"], "differs");
    assert_eq!(document["lacks"][0], "frame1");
    let keys = fleet.deploy(&["recipients"]);
    keys.says(
        0,
        &["admins.joe: ssh-ed25519 SHA256:", "frame1: ssh-rsa SHA256:", "reads b.age, web/d.age"],
    );
}

#[test]
fn a_secret_that_cannot_be_opened_says_why() {
    if !are_here(&["ssh-keygen", "script"]) {
        return;
    }
    let fleet = Fleet::new();
    let joe = fleet.key("home/.ssh/id_ed25519", "ed25519", "");
    let other = fleet.key("other", "ed25519", "two words");
    let ecdsa = fleet.key("ecdsa", "ecdsa", "");
    fleet.rules(&[("a.age", &[&joe]), ("b.age", &[&other]), ("big.age", &[&joe])]);
    fleet.given(&["new", "a"], b"text of a").says(0, &[]);
    fleet.given(&["new", "b"], b"text of b").says(0, &[]);
    fleet.deploy(&["show", "b"]).says(6, &["none of the private keys opens it", "tried: "]);
    fleet.deploy(&["show", "c"]).says(6, &["no rule is for `c`"]);
    fleet.deploy(&["show", "big"]).says(6, &["was never made", "deploy secrets new big.age"]);
    let file = |name: &str| fleet.path(name).display().to_string();
    for (key, why) in [
        ("missing", "No such file"),
        ("other.pub", "it is a public key: name the private one"),
        ("ecdsa", "it is a ecdsa-sha2-nistp256: age opens with ssh-ed25519"),
        ("repo/secrets/a.age", "it is encrypted to keys, not by a passphrase"),
        ("repo/secrets/secrets.nix", "neither a key of SSH's nor one of age's"),
        ("other", "its passphrase could not be asked for"),
    ] {
        let refused = fleet.deploy(&["show", "b", "-i", &file(key)]);
        refused.says(6, &["error: the private key ", why, "state: nothing was changed"]);
    }
    fleet.rules(&[("a.age", &[&ecdsa])]);
    fleet.deploy(&["list"]).says(6, &["the rule `a.age` has a key that is none", "ecdsa"]);
    fleet.rules(&[("a.age", &[&joe]), ("b.age", &[&other]), ("big.age", &[&joe])]);
    let typed = fleet.typing(&["show", "b", "-i", &file("other")], "two words");
    typed.says(0, &["passphrase of ", "text of b"]);
    let wrong = fleet.typing(&["show", "b", "-i", &file("other")], "wrong");
    wrong.says(6, &["stays closed", "the passphrase was wrong 3 times"]);

    let whole = fs::read(fleet.secret("a.age")).unwrap();
    let (end, damaged) = (whole.len(), ["it was changed", "it is cut off", "it is no file"]);
    for at in [60, end / 2, end - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        fs::write(fleet.secret("a.age"), flipped).unwrap();
        let refused = fleet.deploy(&["show", "a"]);
        refused.says(6, &["the secret a.age cannot be decrypted"]);
        assert!(!refused.out.contains("text of a"));
    }
    for length in [0, 10, 60, end - 20, end - 1] {
        fs::write(fleet.secret("a.age"), &whole[..length]).unwrap();
        let refused = fleet.deploy(&["show", "a"]);
        refused.says(6, &["the secret a.age cannot be decrypted"]);
        let told = damaged.iter().any(|why| refused.out.contains(why));
        assert!(told, "{length} bytes: {}", refused.out);
    }
    let big: Vec<u8> = (0..50 << 20).map(|at: u32| (at % 251) as u8).collect();
    fleet.given(&["new", "big"], &big).says(0, &[]);
    let mut shown = fleet.command(&["show", "big"]);
    assert_eq!(shown.output().unwrap().stdout, big);
}
