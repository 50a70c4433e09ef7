//! A folder with rules and keys, and `deploy` in it. Nix is a stand-in that gives what the rules
//! would, and writes down that it was asked.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The folder; `repo/secrets` has the rules.
pub struct Fleet {
    folder: TempDir,
}

/// Nix, for rules and for a flake: each evaluation gives a file of its own.
const OF_A_FLAKE: &str = r#"
printf '%s\n' "$*" >> "$HOME/nix-was-asked"
case "$*" in
  *--file*) f=rules ;;
  *metadata*) f=metadata ;;
  *--version*) echo 'nix (Nix) 2.30.0'; exit ;;
  *'\"what\":\"secrets\"'*) f=declared ;;
  *' eval '*) f=flake ;;
  *) exit 1 ;;
esac
cat "$HOME/$f.json"
"#;

/// What `deploy` ended with.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
}

/// Whether programs are here; says which are not.
pub fn are_here(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_here = |program: &&&str| std::env::split_paths(&path).any(|f| f.join(program).exists());
    let missing: Vec<_> = programs.iter().filter(|program| !is_here(program)).collect();
    if !missing.is_empty() {
        skipped(&format!("there is no {missing:?} on this computer"));
    }
    missing.is_empty()
}

/// Says why a case was not tried. `eprintln!` would be kept from whoever runs the tests.
pub fn skipped(why: &str) {
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    let _ = writeln!(std::io::stderr(), "skipped: {name}: {why}");
}

pub fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {args:?}: {said}");
    String::from_utf8(output.stdout).unwrap_or_default()
}

impl Fleet {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fleet = Self { folder };
        for inside in ["home/.ssh", "repo/.git", "repo/secrets", "bin"] {
            fs::create_dir_all(fleet.path(inside)).unwrap();
        }
        fleet.write("repo/secrets/secrets.nix", "{ }");
        fleet.program(
            "nix",
            "printf '%s\\n' \"$*\" >> \"$HOME/nix-was-asked\"; cat \"$HOME/rules.json\"",
        );
        fleet
    }

    /// Has the flake say that these secrets of frame1 are missing.
    pub fn missing(&self, secrets: &[Value]) {
        self.write("repo/flake.nix", "{ }");
        let path = "/nix/store/00000000000000000000000000000000-x";
        let machine = json!({
            "version": 1, "name": "frame1", "system": "x86_64-linux",
            "toplevel": { "drv": format!("{path}.drv"), "out": path },
            "ssh": { "hostname": "frame1" }, "secrets": secrets,
        });
        let flake = json!({
            "machines": { "frame1": machine }, "failed": [], "odd": {}, "known": ["frame1"],
            "unknown": [], "foreign": {}, "elsewhere": [], "pure": true,
        });
        self.write("home/flake.json", flake.to_string());
        self.write("home/metadata.json", json!({ "locked": {}, "locks": {} }).to_string());
        self.program("nix", OF_A_FLAKE);
        self.declares(json!({}));
    }

    /// Has the flake's machines declare secrets: a list for each machine.
    pub fn declares(&self, secrets: Value) {
        let declared = json!({ "known": [], "failed": [], "pure": true, "secrets": secrets });
        self.write("home/declared.json", declared.to_string());
    }

    pub fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(inside)
    }

    pub fn secret(&self, name: &str) -> PathBuf {
        self.path("repo/secrets").join(name)
    }

    pub fn write(&self, inside: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub fn program(&self, name: &str, script: &str) -> PathBuf {
        let path = self.write(&format!("bin/{name}"), format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Makes a key pair; gives the public half. `id_ed25519` in `home/.ssh` is what is used
    /// without `-i`.
    pub fn key(&self, file: &str, kind: &str, passphrase: &str) -> String {
        let path = self.path(file).display().to_string();
        run("ssh-keygen", &["-q", "-t", kind, "-N", passphrase, "-C", "", "-f", &path]);
        fs::read_to_string(format!("{path}.pub")).unwrap().trim().to_owned()
    }

    /// Sets the rules: each a name and its keys.
    pub fn rules(&self, rules: &[(&str, &[&str])]) {
        let rule = |keys: &[&str]| json!({ "publicKeys": keys, "armor": null, "fields": [] });
        let all: Value =
            rules.iter().map(|(name, keys)| ((*name).to_owned(), rule(keys))).collect();
        self.write("home/rules.json", json!({ "rules": all }).to_string());
    }

    pub fn armored(&self, name: &str, key: &str) {
        let rules = json!({ name: { "publicKeys": [key], "armor": true, "fields": [] } });
        self.write("home/rules.json", json!({ "rules": rules }).to_string());
    }

    pub fn times_nix_was_asked(&self) -> usize {
        let log = fs::read_to_string(self.path("home/nix-was-asked")).unwrap_or_default();
        log.lines().filter(|line| line.contains(" eval ")).count()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deploy"));
        self.prepare(&mut command);
        command.arg("secrets").args(args);
        command
    }

    pub fn prepare(&self, command: &mut Command) {
        let path = std::env::var("PATH").unwrap();
        command
            .current_dir(self.path("repo"))
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("HOME", self.path("home"))
            .env_remove("XDG_RUNTIME_DIR")
            .env_remove("RULES")
            .env_remove("EDITOR");
    }

    /// `deploy secrets …` without a terminal and with nothing on standard input.
    pub fn deploy(&self, args: &[&str]) -> Ended {
        Ended::of(self.command(args).stdin(Stdio::null()).output().unwrap())
    }

    /// The same with a text on standard input.
    pub fn given(&self, args: &[&str], text: &[u8]) -> Ended {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // `deploy` closes the pipe if it refuses before it reads.
        let _ = stdin.write_all(text);
        drop(stdin);
        Ended::of(child.wait_with_output().unwrap())
    }

    /// The same on a terminal, with an editor: `script` of util-linux makes the terminal.
    pub fn on_terminal(&self, args: &[&str], editor: &str) -> Ended {
        // The editor sees the limit that `deploy` set, not the one of this process.
        let limit = "ulimit -c unlimited 2> /dev/null";
        let program = env!("CARGO_BIN_EXE_deploy");
        let line = format!("{limit}; {program} secrets {}", args.join(" "));
        let mut command = Command::new("script");
        self.prepare(&mut command);
        command.args(["-qec", &line, "/dev/null"]).env("EDITOR", editor).env("TERM", "dumb");
        let output = command.stdin(Stdio::null()).output().unwrap();
        Ended::of(output)
    }

    /// The same, with somebody who types a line again and again.
    pub fn typing(&self, args: &[&str], line: &str) -> Ended {
        let program = format!("{} secrets {}", env!("CARGO_BIN_EXE_deploy"), args.join(" "));
        let mut command = Command::new("script");
        self.prepare(&mut command);
        command.args(["-qec", &program, "/dev/null"]).env("TERM", "dumb");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (mut stdin, line) = (child.stdin.take().unwrap(), format!("{line}\n"));
        std::thread::spawn(move || {
            while stdin.write_all(line.as_bytes()).is_ok() {
                std::thread::sleep(std::time::Duration::from_millis(300));
            }
        });
        Ended::of(child.wait_with_output().unwrap())
    }
}

impl Ended {
    pub fn of(output: Output) -> Self {
        let text = [output.stdout, output.stderr].concat();
        let out = String::from_utf8_lossy(&text).replace("\r\n", "\n");
        Self { code: output.status.code(), out }
    }

    /// Asserts the exit code, and words that it says.
    #[track_caller]
    pub fn says(&self, code: i32, words: &[&str]) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.out);
        for words in words {
            assert!(self.out.contains(words), "no `{words}` in:\n{}", self.out);
        }
        self
    }
}

/// The text of a file, by age's program.
pub fn opened(program: &str, key: &Path, file: &Path) -> String {
    let (key, file) = (key.display().to_string(), file.display().to_string());
    run(program, &["-d", "-i", &key, &file])
}
