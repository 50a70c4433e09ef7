//! Compares docs/nix-versions.md with the commands that really run.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path};

use deploy_wire::store_path::StorePath;

use super::{Nix, RemoteStore, Substitute, version::OLDEST};

const DRV: &str = "/nix/store/00000000000000000000000000000000-x.drv";
const PATH: &str = "/nix/store/11111111111111111111111111111111-x";

/// Logs its arguments, and answers so that every command succeeds.
const NIX: &str = r#"#!/bin/sh
echo "nix $*" >> "$0.log"
case "$*" in
*"config show"*) exit 1 ;;
*show-config*) echo '{}' ;;
*"flake metadata"*) echo '{"locked":{},"path":"'"${0%/*}"'"}' ;;
*"store add-path"* | *"nix build"* | *" build "*) echo /nix/store/11111111111111111111111111111111-x ;;
*) echo '{}' ;;
esac
"#;

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/nix-versions.md"))
        .unwrap()
}

/// The rows of a table, as their cells.
fn rows(page: &str, table: &str) -> Vec<Vec<String>> {
    let start = format!("<!-- {table} -->\n");
    let text = page.split(&start).nth(1).unwrap().split("<!-- end -->").next().unwrap();
    let cells = |line: &str| {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
    };
    text.lines().skip(2).filter(|line| line.starts_with('|')).map(cells).collect()
}

/// All command lines of `Nix`, without the values that differ.
async fn command_lines() -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("nix");
    fs::write(&program, NIX).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let flake = folder.path().join("flake.nix");
    fs::write(&flake, "nixConfig").unwrap();
    let nix = Nix::at(program.clone(), &[]);
    let path = |text: &str| StorePath::parse(text).unwrap();
    let (drv, out) = (path(DRV), path(PATH));
    let store = RemoteStore { url: "URL".into(), sshopts: String::new(), environment: Vec::new() };
    nix.version().await.unwrap();
    let metadata = nix.metadata("REF").await.unwrap();
    nix.eval("REF", "FUNCTION", |_| {}).await.unwrap();
    nix.flake_config(&metadata).await.unwrap();
    nix.check("REF", |_| {}).await.unwrap();
    nix.build(&drv, None, |_| {}, |_| {}).await.unwrap();
    nix.build(&drv, Some(&store), |_| {}, |_| {}).await.unwrap();
    nix.dry_run(&drv).await.unwrap();
    nix.copy(&[&out], None, &store, Substitute::Never, || {}, |_| {}).await.unwrap();
    nix.copy(&[&out], None, &store, Substitute::First, || {}, |_| {}).await.unwrap();
    let from = RemoteStore { url: "BUILDER".into(), ..store.clone() };
    nix.copy(&[&out], Some(&from), &store, Substitute::First, || {}, |_| {}).await.unwrap();
    nix.copy_here(&out, &store, |_| {}).await.unwrap();
    nix.add_file("NAME", &flake).await.unwrap();
    nix.sizes(&out).await.unwrap();
    nix.root(&out, &folder.path().join("link")).await.unwrap();
    nix.systems_of(&drv).await.unwrap();
    nix.package("REF", "NAME").await.unwrap();
    nix.settings().await.unwrap();
    let log = fs::read_to_string(folder.path().join("nix.log")).unwrap();
    let line = |line: &str| {
        line.replace(" --extra-experimental-features nix-command flakes", "")
            .replace("flake: flake.nixConfig or null", "FUNCTION")
            .replace(flake.to_str().unwrap(), "FILE")
            .replace(folder.path().join("link").to_str().unwrap(), "LINK")
            .replace(DRV, "DRV")
            .replace(PATH, "PATH")
    };
    log.lines().map(line).collect()
}

#[tokio::test]
async fn every_command_line_of_nix_is_in_the_table() {
    let page = page();
    let rows = rows(&page, "operator");
    let written: BTreeSet<String> =
        rows.iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    assert_eq!(command_lines().await, written);
    // The methods that start Nix. A new method has to be called above.
    let sources = ["mod.rs", "flake.rs", "settings.rs"];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tools/nix");
    let texts = sources.map(|file| fs::read_to_string(folder.join(file)).unwrap());
    let started: usize = texts.iter().map(|text| text.matches("invocation(").count()).sum();
    assert_eq!(started, 15, "calls of `invocation`, with its definition");
    let since = |row: &Vec<String>| {
        let (major, minor) = row[1].split_once('.').unwrap();
        (major.parse().unwrap(), minor.parse().unwrap())
    };
    // `config show` has an older name.
    let needed = rows.iter().filter(|row| !row[0].contains("config show")).map(since).max();
    assert_eq!(needed, Some(OLDEST));
}

#[test]
fn what_the_readme_promises_is_what_the_table_says() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let promise = format!("Nix {}.{} or newer, or Lix", OLDEST.0, OLDEST.1);
    assert!(readme.contains(&promise), "the README does not say {promise}");
    assert!(page().contains(&promise), "docs/nix-versions.md does not say {promise}");
}

#[test]
fn every_argument_of_nix_on_the_machine_is_in_the_table() {
    let cli = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let files = [
        "agent/src/tools/nix.rs",
        "wire/src/mark/mark.sh",
        "deploy/src/stages/plan/changes/inventory.sh",
    ];
    let written: BTreeSet<String> = rows(&page(), "machine")
        .iter()
        .flat_map(|row| row[1].split(' ').map(|word| word.trim_matches('`').to_owned()))
        .filter(|word| word.starts_with("--"))
        .collect();
    let mut used = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(cli.join(file)).unwrap();
        // In a script, only the lines that start Nix count, because other programs have arguments
        // too.
        let is_nix = |line: &&str| file.ends_with(".rs") || line.contains("nix");
        let words = text.lines().filter(is_nix).flat_map(|line| line.split([' ', '"', '\\']));
        let is_argument = |word: &&str| {
            word.strip_prefix("--")
                .is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
        };
        used.extend(
            words
                .filter(is_argument)
                .map(|word| word.trim_end_matches(['.', ',', '`', ']']).to_owned()),
        );
    }
    assert_eq!(used, written);
}
