//! What is left of clear text in the memory of `deploy`, and what a crash would leave on a disk.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::fleet::{Fleet, are_here, skipped};

fn command(name: &str, line: &str) -> Value {
    json!({
        "name": name, "file": format!("secrets/{name}.age"), "path": format!("/run/agenix/{name}"),
        "mode": "0400", "owner": "root", "group": "root", "identityPaths": [], "ageBin": "",
        "generator": { "kind": "command", "command": ["sh", "-c", line] },
    })
}

fn fleet(secrets: &[Value]) -> Option<Fleet> {
    if !are_here(&["ssh-keygen"]) {
        return None;
    }
    let fleet = Fleet::new();
    let joe = fleet.key("home/.ssh/id_ed25519", "ed25519", "");
    let keys = [joe.as_str()];
    fleet.rules(&[("a.age", &keys), ("b.age", &keys)]);
    fleet.missing(secrets);
    Some(fleet)
}

/// How often a text is in the memory of a process.
fn found(process: u32, text: &[u8]) -> usize {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let mut memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let mut count = 0;
    for line in maps.lines().filter(|line| line.split(' ').nth(1).unwrap().starts_with("rw")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let at = |hex: &str| u64::from_str_radix(hex, 16).unwrap();
        let mut bytes = vec![0; usize::try_from(at(to) - at(from)).unwrap()];
        let whole =
            memory.seek(SeekFrom::Start(at(from))).and_then(|_| memory.read_exact(&mut bytes));
        if whole.is_ok() {
            count += bytes.windows(text.len()).filter(|window| *window == text).count();
        }
    }
    count
}

#[test]
fn a_secret_that_was_written_is_nowhere_in_memory() {
    if !Path::new("/proc/self/mem").exists() {
        skipped("there is no /proc/self/mem on this computer");
        return;
    }
    // Neither the command line nor the flake has the text: the program puts it together.
    let poison =
        "printf '%s' p0ison-; i=0; while [ $i -lt 40 ]; do printf %s $i-; i=$((i+1)); done";
    let waits =
        "echo $PPID > here.new; mv here.new here; until [ -e go ]; do sleep 0.05; done; echo b";
    let Some(fleet) = fleet(&[command("a", poison), command("b", waits)]) else { return };
    let mut deploy = fleet.command(&["new", "frame1", "--generate"]);
    let mut deploy = deploy.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let here = fleet.path("repo/here");
    let until = Instant::now() + Duration::from_secs(20);
    while !here.exists() {
        assert!(Instant::now() < until, "b was never made");
        thread::sleep(Duration::from_millis(20));
    }
    let process: u32 = fs::read_to_string(here).unwrap().trim().parse().unwrap();
    let text: String = (0..40).map(|number| format!("{number}-")).collect();
    let (left, control) = (found(process, text.as_bytes()), found(process, b"secrets/b.age"));
    fleet.write("repo/go", "");
    assert!(deploy.wait().unwrap().success());
    assert_eq!(fleet.deploy(&["show", "a"]).out, format!("p0ison-{text}"));
    assert!(control > 0, "the search finds what is there");
    assert_eq!(left, 0, "the text of a.age is still in memory");
}

/// A plugin of age's that writes down the limit that it has from `deploy`, and fails.
const LIMIT: &str = "ulimit -c >> \"$HOME/limits\"; exit 1";

const RECIPIENT: &str = "age1fake1pzry9x8g5v7z9l";
const IDENTITY: &str = "AGE-PLUGIN-FAKE-1PZRY9X8G20RW29";

#[test]
fn no_command_that_holds_clear_text_leaves_a_core() {
    let limit = "ulimit -c >> \"$HOME/limits\"; echo x";
    let Some(fleet) = fleet(&[command("a", limit)]) else { return };
    if !are_here(&["script"]) {
        return;
    }
    fleet.program("age-plugin-fake", LIMIT);
    let keys = fleet.write("fake.key", format!("{IDENTITY}\n")).display().to_string();
    let joe = fs::read_to_string(fleet.path("home/.ssh/id_ed25519.pub")).unwrap();
    let file = "/nix/store/00000000000000000000000000000000-source/secrets/a.age";
    let by = json!({ "kind": "command", "command": ["sh", "-c", limit] });
    fleet.declares(json!({ "frame1": [{ "file": file, "services": [], "generator": by }] }));
    let limits = || fs::read_to_string(fleet.path("home/limits")).unwrap_or_default();
    let on = |args: &[&str]| {
        let _ = fs::remove_file(fleet.path("home/limits"));
        let ended = fleet.on_terminal(args, "false");
        assert!(!limits().is_empty(), "{args:?} started nothing: {}", ended.out);
        assert!(limits().lines().all(|line| line == "0"), "{args:?}: {}", limits());
    };
    on(&["new", "frame1", "--generate"]);
    on(&["rotate", "a", "--generate"]);
    fs::remove_file(fleet.secret("a.age")).unwrap();
    on(&["new", "a", "--generate"]);
    fleet.rules(&[("a.age", &[joe.trim(), RECIPIENT]), ("c.age", &[RECIPIENT])]);
    fs::copy(fleet.secret("a.age"), fleet.secret("b.age")).unwrap();
    on(&["rekey", "a"]);
    on(&["rename", "b", "c"]);
    on(&["show", "a", "-i", &keys]);
    on(&["edit", "a", "-i", &keys]);
    fleet.write("repo/secrets/secrets.nix", format!("{{ joe = \"{}\"; }}", joe.trim()));
    // `recipients add` and `remove` encrypt by what `rekey` does, and say so before they begin.
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands/secrets/recipients");
    for file in ["add.rs", "remove.rs"] {
        let text = fs::read_to_string(sources.join(file)).unwrap();
        assert!(text.contains("process::leave_no_core();"), "{file}");
    }
}
