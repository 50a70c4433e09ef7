use super::{super::found::sets, *};

const KEYS: &str = r#"# The keys of people and machines.
{
  admins = {
    joe = "ssh-ed25519 AAAA1 joe"; # my own
  };

  # Host keys.
  machines = {
    frame1 = "ssh-ed25519 AAAA2";   # in the attic
    # the proxy
    "web.lan" = "ssh-rsa AAAA3";
  };
  none = { };
}
"#;

fn set<'s>(sets: &'s [KeySet], path: &[&str]) -> &'s KeySet {
    sets.iter().find(|set| set.path == path).unwrap()
}

fn named(text: &str, word: &str) -> KeyBinding {
    let mut found: Vec<_> = bindings(text).into_iter().filter(|each| each.is(word)).collect();
    assert_eq!(found.len(), 1, "{word}");
    found.remove(0)
}

#[test]
fn keys_and_their_sets_are_found() {
    let all: Vec<String> = bindings(KEYS).iter().map(|each| each.path.join(".")).collect();
    assert_eq!(all, ["admins.joe", "machines.frame1", "machines.web.lan"]);
    let paths: Vec<String> = sets(KEYS).iter().map(|set| set.path.join(".")).collect();
    assert_eq!(paths, ["admins", "machines", "none"]);
    assert!(named(KEYS, "frame1").is("machines.frame1") && !named(KEYS, "frame1").is("rame1"));
    assert_eq!(named(KEYS, "web.lan").key, "ssh-rsa AAAA3");
    assert!(bindings("{ a = \"${b}\"; c = ./key.pub; d = { }; ${e} = \"ssh-rsa A\"; }").is_empty());
}

#[test]
fn a_key_is_added_behind_the_last_and_nothing_else_changes() {
    let sets = sets(KEYS);
    let text = added(KEYS, set(&sets, &["machines"]), "nas", "ssh-ed25519 AAAA4");
    let line = "    \"web.lan\" = \"ssh-rsa AAAA3\";\n";
    let with = format!("{line}    nas = \"ssh-ed25519 AAAA4\";\n");
    assert_eq!(text, KEYS.replace(line, &with));
    let text = added(KEYS, set(&sets, &["admins"]), "in", "age1x");
    let line = "# my own\n";
    assert_eq!(text, KEYS.replace(line, "# my own\n    \"in\" = \"age1x\";\n"));
    let text = added(KEYS, set(&sets, &["none"]), "a", "age1x");
    assert_eq!(text, KEYS.replace("{ };", "{\n    a = \"age1x\";\n  };"));
    let commented = "{\n  m = {\n    # n = \"…\";\n  };\n}";
    let text = added(commented, &super::super::found::sets(commented)[0], "n", "age1x");
    assert_eq!(text, "{\n  m = {\n    # n = \"…\";\n    n = \"age1x\";\n  };\n}");
    for (text, with) in [
        ("{ a = \"age1a\"; }", "{ a = \"age1a\"; n = \"age1x\"; }"),
        ("let a = \"age1a\"; in { }", "let a = \"age1a\"; n = \"age1x\"; in { }"),
        (
            "{\n  m.a = \"age1a\";\n  x = 1;\n}",
            "{\n  m.a = \"age1a\";\n  m.n = \"age1x\";\n  x = 1;\n}",
        ),
        ("{\n  a = \"age1a\"; }", "{\n  a = \"age1a\";\n  n = \"age1x\"; }"),
    ] {
        let sets = super::super::found::sets(text);
        assert_eq!(added(text, &sets[0], "n", "age1x"), with);
    }
}

#[test]
fn a_key_is_replaced_where_it_stands() {
    let text = replaced(KEYS, &named(KEYS, "frame1"), "ssh-ed25519 BBBB");
    assert_eq!(text, KEYS.replace("ssh-ed25519 AAAA2", "ssh-ed25519 BBBB"));
}

#[test]
fn a_key_goes_with_its_line_and_from_lists() {
    let frame1 = named(KEYS, "frame1");
    let line = "    frame1 = \"ssh-ed25519 AAAA2\";   # in the attic\n";
    assert_eq!(without(KEYS, &frame1), KEYS.replace(line, ""));
    for (text, with) in [
        ("[ keys.admins.joe keys.machines.frame1 ]", "[ keys.admins.joe ]"),
        ("[ keys.machines.frame1 keys.machines.web ]", "[ keys.machines.web ]"),
        ("with keys.machines; [ frame1 web ]", "with keys.machines; [ web ]"),
        ("a ++ [ machines.frame1 ]", "a ++ [ ]"),
        ("[ [ \"ssh-ed25519 AAAA2\" ] joe ]", "[ [ ] joe ]"),
        ("[\n  joe # me\n  m.machines.frame1 # the frame\n  web\n]", "[\n  joe # me\n  web\n]"),
        ("[ other.frame1 keys.frame1.x (f frame1) ]", "[ other.frame1 keys.frame1.x (f frame1) ]"),
    ] {
        assert_eq!(without(text, &frame1), with);
    }
    let inline = "{ a = \"age1a\"; b = \"age1b\"; }";
    assert_eq!(without(inline, &named(inline, "b")), "{ a = \"age1a\"; }");
}
