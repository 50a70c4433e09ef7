//! Compares the table of flags in docs/commands.md with the parser.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use clap::{Arg, Command, CommandFactory, Parser, error::ErrorKind};
use deploy::args::CommandLine;

/// `deploy` without a command's name.
const BARE: &str = "deploy";

/// The flags that clap adds to each command.
const CLAPS: [&str; 2] = ["--help", "--version"];

/// The command whose own commands have a table of their own.
const SECRETS: &str = "secrets";

/// The one of these that has commands of its own.
const RECIPIENTS: &str = "recipients";

/// The command with a table of its own, which also does something without a command's name.
const VM: &str = "vm";

/// The commands with a table of their own that have no commands.
const ISO: &str = "iso";
const INSTALL: &str = "install";

/// Those with a table together.
const MACHINE_FOLDERS: [&str; 2] = ["new", "adopt"];

/// The name of that in the table.
const START: &str = "start";

/// The table under this head: the commands of each flag.
fn table(head: &str) -> BTreeMap<String, BTreeSet<String>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md");
    let text = fs::read_to_string(file).unwrap();
    let mut lines = text.lines().skip_while(|line| !line.starts_with(head));
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let commands = cells(lines.next().expect("there is no table of flags"));
    let rows = lines.skip(1).take_while(|line| line.starts_with('|')).map(cells);
    rows.map(|row| {
        let flag = row[0].trim_matches('`').to_owned();
        let having = commands.iter().zip(&row).skip(1).filter(|(_, mark)| *mark == "✓");
        assert!(row.iter().skip(1).all(|mark| mark.is_empty() || mark == "✓"), "{row:?}");
        assert_eq!(row.len(), commands.len(), "{row:?}");
        (flag, having.map(|(command, _)| command.clone()).collect())
    })
    .collect()
}

/// The flags of each command, from clap.
fn parser() -> BTreeMap<String, Vec<Arg>> {
    let mut bare = CommandLine::command();
    bare.build();
    let mut all = below(&bare);
    all.retain(|command| ![SECRETS, VM, ISO, INSTALL].contains(&command.get_name()));
    all.retain(|command| !MACHINE_FOLDERS.contains(&command.get_name()));
    all.push(bare);
    flags(all)
}

/// The same of `deploy secrets`.
fn parser_of_secrets() -> BTreeMap<String, Vec<Arg>> {
    let mut bare = CommandLine::command();
    bare.build();
    flags(below(bare.find_subcommand(SECRETS).expect("there is one")))
}

/// The same of `deploy secrets recipients`.
fn parser_of_recipients() -> BTreeMap<String, Vec<Arg>> {
    let mut bare = CommandLine::command();
    bare.build();
    let secrets = bare.find_subcommand(SECRETS).expect("there is one");
    flags(below(secrets.find_subcommand(RECIPIENTS).expect("there is one")))
}

/// The same of `deploy vm`.
fn parser_of_vm() -> BTreeMap<String, Vec<Arg>> {
    let mut bare = CommandLine::command();
    bare.build();
    let vm = bare.find_subcommand(VM).expect("there is one");
    let mut all = below(vm);
    all.retain(|command| !command.is_hide_set());
    all.push(vm.clone().name(START));
    flags(all)
}

/// The same of a command that has no commands.
fn parser_of_one(name: &str) -> BTreeMap<String, Vec<Arg>> {
    let mut bare = CommandLine::command();
    bare.build();
    flags(vec![bare.find_subcommand(name).expect("there is one").clone()])
}

/// The same of `deploy new` and `deploy adopt`.
fn parser_of_machine_folders() -> BTreeMap<String, Vec<Arg>> {
    let mut bare = CommandLine::command();
    bare.build();
    let found = |name| bare.find_subcommand(name).expect("there is one").clone();
    flags(MACHINE_FOLDERS.map(found).into())
}

fn below(command: &Command) -> Vec<Command> {
    command.get_subcommands().filter(|command| command.get_name() != "help").cloned().collect()
}

fn flags(commands: Vec<Command>) -> BTreeMap<String, Vec<Arg>> {
    commands
        .into_iter()
        .map(|command| {
            let flags = command.get_arguments().filter(|arg| arg.get_long().is_some()).cloned();
            (command.get_name().to_owned(), flags.collect())
        })
        .collect()
}

fn long(arg: &Arg) -> String {
    format!("--{}", arg.get_long().expect("only flags are asked"))
}

/// A command line with the flag, and with a value if it takes one.
fn line(mut words: Vec<String>, flag: &Arg) -> Vec<String> {
    let names = flag.get_value_names().unwrap_or_default();
    let value = match names.first().map(|name| name.as_str()) {
        _ if !flag.get_action().takes_values() => None,
        Some("BOOL") => Some("true"),
        Some("SECONDS" | "GENERATION") => Some("1"),
        Some("MIB" | "NUMBER" | "PORT") => Some("64"),
        Some("HERE:GUEST") => Some("9443:443"),
        Some("PROGRAM") => Some("docker"),
        Some("PLATFORM") => Some("x86_64-linux"),
        Some("DISK") => Some("/dev/sda"),
        Some("DOMAIN") => Some("home.example.org"),
        Some("RELEASE") => Some("26.05"),
        _ => Some("value"),
    };
    words.push(long(flag));
    words.extend(value.map(str::to_owned));
    words
}

#[test]
fn every_flag_is_honoured_or_refused_by_its_name() {
    let before = |command: &str| match command {
        BARE => vec![BARE.to_owned()],
        named => vec![BARE.to_owned(), named.to_owned()],
    };
    compare(&table("| flag | deploy |"), &parser(), before);
}

#[test]
fn every_flag_of_secrets_is_honoured_or_refused_by_its_name() {
    let before = |command: &str| [BARE, SECRETS, command].map(str::to_owned).into();
    compare(&table("| flag of `secrets` |"), &parser_of_secrets(), before);
}

#[test]
fn every_flag_of_recipients_is_honoured_or_refused_by_its_name() {
    let before = |command: &str| [BARE, SECRETS, RECIPIENTS, command].map(str::to_owned).into();
    compare(&table("| flag of `secrets recipients` |"), &parser_of_recipients(), before);
}

#[test]
fn every_flag_of_vm_is_honoured_or_refused_by_its_name() {
    let before = |command: &str| match command {
        START => [BARE, VM].map(str::to_owned).into(),
        named => [BARE, VM, named].map(str::to_owned).into(),
    };
    compare(&table("| flag of `vm` |"), &parser_of_vm(), before);
}

#[test]
fn every_flag_of_iso_is_honoured_or_refused_by_its_name() {
    let before = |command: &str| [BARE, command].map(str::to_owned).into();
    compare(&table("| flag of `iso` |"), &parser_of_one(ISO), before);
}

#[test]
fn every_flag_of_install_is_honoured_or_refused_by_its_name() {
    let before = |command: &str| [BARE, command].map(str::to_owned).into();
    compare(&table("| flag of `install` |"), &parser_of_one(INSTALL), before);
}

#[test]
fn every_flag_of_new_and_adopt_is_honoured_or_refused_by_its_name() {
    let before = |command: &str| [BARE, command].map(str::to_owned).into();
    let table = table("| flag of `new` and `adopt` |");
    compare(&table, &parser_of_machine_folders(), before);
}

/// Parses the words, and behind them the names that a command cannot do without.
fn parse(words: &[String]) -> Result<CommandLine, clap::Error> {
    let with = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned());
        CommandLine::try_parse_from(words.iter().cloned().chain(names))
    };
    let lacks = |error: &clap::Error| error.kind() == ErrorKind::MissingRequiredArgument;
    match with(&[]) {
        Err(error) if lacks(&error) => {
            with(&["a"]).or_else(|_| with(&["a", "b"])).or_else(|_| with(&["--host", "b", "a"]))
        }
        parsed => parsed,
    }
}

fn compare(
    table: &BTreeMap<String, BTreeSet<String>>,
    parser: &BTreeMap<String, Vec<Arg>>,
    before: impl Fn(&str) -> Vec<String>,
) {
    let flags: BTreeMap<String, Arg> =
        parser.values().flatten().map(|arg| (long(arg), arg.clone())).collect();
    let ours = flags.keys().filter(|flag| !CLAPS.contains(&flag.as_str()));
    assert_eq!(
        table.keys().collect::<Vec<_>>(),
        ours.collect::<Vec<_>>(),
        "docs/commands.md and the command line have different flags"
    );
    for (flag, having) in table {
        for command in parser.keys() {
            let words = line(before(command), &flags[flag]);
            let said = words.join(" ");
            match parse(&words) {
                Ok(_) => {
                    assert!(having.contains(command), "`{said}` is taken, and not in the table")
                }
                Err(error) => {
                    assert!(!having.contains(command), "`{said}` is in the table, but: {error}");
                    assert_eq!(error.kind(), ErrorKind::UnknownArgument, "{said}: {error}");
                    assert_eq!(error.exit_code(), 2, "{said}");
                    assert!(error.to_string().contains(flag.as_str()), "{said}: {error}");
                }
            }
        }
    }
}

/// An image that is there is not built, and gets no Wi-Fi.
#[test]
fn an_image_that_is_there_takes_no_flags_of_a_build() {
    let there = "deploy iso --flash sdb --image a.iso";
    assert!(CommandLine::try_parse_from(there.split(' ')).is_ok());
    for more in [
        "--out b",
        "--build-on h",
        "--build-in docker",
        "--wifi w",
        "--no-wifi",
        "--rules r",
        "-i k",
        "name",
    ] {
        let words = there.split(' ').chain(more.split(' '));
        let error = CommandLine::try_parse_from(words).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ArgumentConflict, "{more}");
    }
}

/// deploy-rs has no commands with a name.
#[test]
fn deploy_rs_s_own_command_lines_go_on_working() {
    for line in [
        "deploy .#node.system -- --impure",
        "deploy -s -d -c -k -r result .#node",
        "deploy --targets .#a .#b --hostname h --ssh-user u --ssh-opts=-p22 --profile-user root",
        "deploy .# --confirm-timeout 60 --activation-timeout 600 --temp-path /tmp --log-dir logs",
        "deploy -i . --magic-rollback false --auto-rollback true --rollback-succeeded true",
        "deploy . --dry-activate --remote-build --fast-connection true --interactive-sudo true",
        "deploy . --boot --sudo doas --checksigs --keep-result --result-path x --skip-checks",
        "deploy -f default.nix",
    ] {
        let parsed = CommandLine::try_parse_from(line.split(' '));
        assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
    }
}

/// The table does not show flags that exclude each other.
#[test]
fn a_dry_run_is_neither_a_test_nor_a_boot_default() {
    for line in ["--boot --test", "--test --dry-activate", "--dry-activate --boot"] {
        let words = ["deploy", "frame1"].into_iter().chain(line.split(' '));
        let error = CommandLine::try_parse_from(words).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ArgumentConflict, "{line}");
    }
}
