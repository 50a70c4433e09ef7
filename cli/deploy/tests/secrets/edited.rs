//! Editing: nothing is lost, nothing comes on a disk, and nothing is written without need.

use std::{fs, path::Path};

use crate::fleet::{Ended, Fleet, are_here};

fn fleet() -> Option<Fleet> {
    if !are_here(&["ssh-keygen", "script", "stat"]) {
        return None;
    }
    let fleet = Fleet::new();
    let joe = fleet.key("home/.ssh/id_ed25519", "ed25519", "");
    fleet.rules(&[("a.age", &[&joe]), ("web/b.age", &[&joe])]);
    fleet.given(&["new", "a"], b"one\n").says(0, &["a.age: encrypted to"]);
    Some(fleet)
}

fn text(fleet: &Fleet) -> String {
    fleet.deploy(&["show", "a"]).says(0, &[]).out.clone()
}

/// The file that a failure names, with what is in it; it is removed.
fn kept(ended: &Ended) -> String {
    let begin = ended.out.find("is kept in ").expect(&ended.out) + "is kept in ".len();
    let file = ended.out[begin..].split(',').next().unwrap();
    let text = fs::read_to_string(file).unwrap();
    fs::remove_dir_all(Path::new(file).parent().unwrap()).unwrap();
    text
}

#[test]
fn an_editor_with_arguments_and_spaces_sees_the_text_in_memory_and_for_the_user_alone() {
    let Some(fleet) = fleet() else { return };
    let seen = fleet.path("seen").display().to_string();
    let script = format!(
        "[ \"$1\" = '--a b' ] || exit 9; f=$2; {{ stat -f -c %T \"$f\"; stat -c %a \"$f\"; \
         stat -c %a \"$(dirname \"$f\")\"; ulimit -c; cat \"$f\"; echo \"$f\"; }} > {seen}; \
         echo two > \"$f\""
    );
    let editor = fleet.program("my editor", &script);
    let editor = format!("'{}' '--a b'", editor.display());
    fleet.on_terminal(&["edit", "a"], &editor).says(0, &["a.age: encrypted to"]);
    assert_eq!(text(&fleet), "two\n");
    let seen = fs::read_to_string(fleet.path("seen")).unwrap();
    let lines: Vec<&str> = seen.lines().collect();
    assert_eq!(lines[..5], ["tmpfs", "600", "700", "0", "one"]);
    assert!(!Path::new(lines[5]).parent().unwrap().exists(), "{} is left", lines[5]);
}

#[test]
fn an_edit_that_changes_nothing_leaves_the_file_untouched() {
    let Some(fleet) = fleet() else { return };
    let before = fs::read(fleet.secret("a.age")).unwrap();
    fleet.on_terminal(&["edit", "a"], "true").says(0, &["a.age: unchanged"]);
    fleet.given(&["edit", "a"], b"one\n").says(0, &["a.age: unchanged"]);
    assert_eq!(fs::read(fleet.secret("a.age")).unwrap(), before);
    let file = fleet.write("three", "three").display().to_string();
    fleet.deploy(&["edit", "a", "--from", &file]).says(0, &["encrypted to"]);
    assert_eq!(text(&fleet), "three");
    fleet.on_terminal(&["new", "a"], "true").says(1, &["is there already", "secrets edit a.age"]);
    fleet.on_terminal(&["new", "web/b"], "true").says(1, &["the text is empty"]);
    fleet.deploy(&["edit", "a"]).says(1, &["standard input is empty"]);
    fleet.on_terminal(&["edit", "web/b"], "echo b >").says(0, &["git add secrets/web/b.age"]);
    assert_eq!(text(&fleet), "three");
}

#[test]
fn an_edit_is_kept_where_the_editor_fails_or_the_file_cannot_be_written() {
    let Some(fleet) = fleet() else { return };
    let before = fs::read(fleet.secret("a.age")).unwrap();
    let failing = fleet.program("fails", "echo mine > \"$1\"; exit 3").display().to_string();
    let killed = fleet.program("killed", "echo mine > \"$1\"; kill -9 $$").display().to_string();
    for editor in [failing, killed] {
        let failed = fleet.on_terminal(&["edit", "a"], &editor);
        failed.says(1, &["the secret a.age was not changed", "ended with", "--from "]);
        assert_eq!(kept(&failed), "mine\n");
    }
    let untouched = fleet.on_terminal(&["edit", "a"], "false");
    assert!(!untouched.says(1, &["nothing was changed"]).out.contains("is kept"));
    assert_eq!(fs::read(fleet.secret("a.age")).unwrap(), before);

    let file = fleet.secret("a.age").display().to_string();
    let script = format!("echo mine > \"$1\"; echo theirs > {file}");
    let meanwhile = fleet.program("meanwhile", &script).display().to_string();
    let failed = fleet.on_terminal(&["edit", "a"], &meanwhile);
    failed.says(1, &["somebody else has written secrets/a.age meanwhile"]);
    assert_eq!(kept(&failed), "mine\n");
    fs::write(&file, &before).unwrap();

    let joe = fs::read_to_string(fleet.path("home/.ssh/id_ed25519.pub")).unwrap();
    let plugin = "age1yubikey1q2w7u3vpya839jxxuq8g0sedh3d740d4xvn639sqhr95ejj8vu3hyfumptt";
    fleet.rules(&[("a.age", &[joe.trim(), plugin])]);
    let failed = fleet.on_terminal(&["edit", "a"], "echo mine >");
    failed.says(1, &["there is no `age-plugin-yubikey` on PATH"]);
    assert_eq!(kept(&failed), "mine\n");
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_deploy_that_is_terminated_while_the_editor_is_open_leaves_no_text_behind() {
    let Some(fleet) = fleet().filter(|_| are_here(&["ps"])) else { return };
    let seen = fleet.path("seen").display().to_string();
    for signal in ["TERM", "HUP"] {
        let script = format!(
            "echo \"$1\" > {seen}; p=$PPID; while [ \"$(ps -o comm= -p $p)\" != deploy ]; do \
             p=$(ps -o ppid= -p $p | tr -d ' '); done; kill -{signal} $p; sleep 3"
        );
        let editor = fleet.program("waits", &script).display().to_string();
        fleet.on_terminal(&["edit", "a"], &editor).says(1, &["while the editor was open"]);
        let file = fs::read_to_string(fleet.path("seen")).unwrap();
        assert!(!Path::new(file.trim()).parent().unwrap().exists(), "{signal}: {file} is left");
        assert_eq!(text(&fleet), "one\n");
    }
}
