//! Keys of age's plugins, by a plugin that hides nothing: the PIN is asked once for a command.

use std::fs;

use crate::fleet::{Fleet, are_here};

const RECIPIENT: &str = "age1fake1pzry9x8g5v7z9l";
const IDENTITY: &str = "AGE-PLUGIN-FAKE-1PZRY9X8G20RW29";

/// age's plugin protocol: the file's key stands in the stanza as it is.
const PLUGIN: &str = r#"
say() { printf -- '-> %s\n%s\n' "$1" "$2"; read -r answer; read -r body; }
key=
while read -r line; do
  case $line in
    '-> wrap-file-key') read -r key ;;
    '-> recipient-stanza 0 fake'*) read -r key ;;
    '-> recipient-stanza '*) read -r other ;;
    '-> done') read -r empty; break ;;
  esac
done
case $1 in
  --age-plugin=recipient-v1) say 'recipient-stanza 0 fake x' "$key" ;;
  --age-plugin=identity-v1)
    if [ -n "$key" ]; then
      echo asked >> "$HOME/asked"
      say request-secret "$(printf 'PIN of the fake key' | base64 | tr -d =)"
      [ "$body" = "$(printf 1234 | base64 | tr -d =)" ] || { say 'error internal' "$(printf 'wrong PIN' | base64 | tr -d =)"; key=''; }
      [ -z "$key" ] || say 'file-key 0' "$key"
    fi ;;
esac
printf -- '-> done\n\n'
"#;

#[test]
fn a_plugin_s_pin_is_asked_once_for_all_files() {
    if !are_here(&["ssh-keygen", "script", "base64"]) {
        return;
    }
    let fleet = Fleet::new();
    let joe = fleet.key("joe", "ed25519", "");
    let keys = fleet.write("fake.key", format!("# a comment\n{IDENTITY}\n")).display().to_string();
    fleet.rules(&[("a.age", &[RECIPIENT]), ("b.age", &[RECIPIENT])]);
    fleet.given(&["new", "a"], b"x").says(1, &["there is no `age-plugin-fake` on PATH"]);
    fleet.program("age-plugin-fake", PLUGIN);
    fleet.given(&["new", "a"], b"text of a").says(0, &[]);
    fleet.given(&["new", "b"], b"text of b").says(0, &[]);
    fleet.deploy(&["check"]).says(0, &["of 2 some keys are counted only"]);
    fleet
        .typing(&["show", "a", "-i", &keys], "1234")
        .says(0, &["PIN of the fake key", "text of a"]);
    fleet
        .typing(&["show", "a", "-i", &keys], "9999")
        .says(6, &["cannot be decrypted", "wrong PIN"]);

    fs::remove_file(fleet.path("home/asked")).unwrap();
    fleet.rules(&[("a.age", &[RECIPIENT, &joe]), ("b.age", &[RECIPIENT, &joe])]);
    let rekeyed = fleet.typing(&["rekey", "-i", &keys], "1234");
    rekeyed.says(0, &["2 secrets were encrypted anew"]);
    assert_eq!(rekeyed.out.matches("PIN of the fake key").count(), 1, "{}", rekeyed.out);
    assert_eq!(fs::read_to_string(fleet.path("home/asked")).unwrap(), "asked\nasked\n");
    let joe = fleet.path("joe").display().to_string();
    assert_eq!(fleet.deploy(&["show", "b", "-i", &joe]).says(0, &[]).out, "text of b");
}
