//! Compares the table of flags in docs/commands.md with the parser.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use clap::{Arg, CommandFactory, Parser, error::ErrorKind};
use deploy::args::CommandLine;

/// `deploy` without a command's name.
const BARE: &str = "deploy";

/// The flags that clap adds to each command.
const CLAPS: [&str; 2] = ["--help", "--version"];

/// The table: the commands of each flag.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md");
    let text = fs::read_to_string(file).unwrap();
    let mut lines = text.lines().skip_while(|line| !line.starts_with("| flag | deploy |"));
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
    let named = bare.get_subcommands().filter(|command| command.get_name() != "help").cloned();
    let mut all: Vec<_> = named.collect();
    all.push(bare);
    all.into_iter()
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
fn line(command: &str, flag: &Arg) -> Vec<String> {
    let mut words = vec!["deploy".to_owned()];
    words.extend((command != BARE).then(|| command.to_owned()));
    let names = flag.get_value_names().unwrap_or_default();
    let value = match names.first().map(|name| name.as_str()) {
        _ if !flag.get_action().takes_values() => None,
        Some("BOOL") => Some("true"),
        Some("SECONDS" | "GENERATION") => Some("1"),
        _ => Some("value"),
    };
    words.push(long(flag));
    words.extend(value.map(str::to_owned));
    words
}

#[test]
fn every_flag_is_honoured_or_refused_by_its_name() {
    let (table, parser) = (table(), parser());
    let flags: BTreeMap<String, Arg> =
        parser.values().flatten().map(|arg| (long(arg), arg.clone())).collect();
    let ours = flags.keys().filter(|flag| !CLAPS.contains(&flag.as_str()));
    assert_eq!(
        table.keys().collect::<Vec<_>>(),
        ours.collect::<Vec<_>>(),
        "docs/commands.md and the command line have different flags"
    );
    for (flag, having) in &table {
        for command in parser.keys() {
            let words = line(command, &flags[flag]);
            let said = words.join(" ");
            match CommandLine::try_parse_from(&words) {
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
