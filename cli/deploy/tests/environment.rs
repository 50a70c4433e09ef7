//! Compares docs/environment.md with what the programs' sources read.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod sources;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use sources::{cli, sources};

/// A program and a variable that it reads.
type Read = BTreeSet<(String, String)>;

const FOR_TESTS: &str = "#[cfg(test)]";

/// The files of a program, each without comments, blanks and the tests at its end. Files with tests
/// alone are left out.
fn code(program: &str) -> Vec<(PathBuf, String)> {
    let read = |file: PathBuf| {
        let text: String = sources::code(&file).chars().filter(|c| !c.is_whitespace()).collect();
        (file, text)
    };
    let all: Vec<_> = sources(&cli().join(program).join("src")).into_iter().map(read).collect();
    let tests: BTreeSet<PathBuf> =
        all.iter().flat_map(|(file, text)| test_files(file, text)).collect();
    all.into_iter().filter(|(file, _)| !tests.contains(file)).collect()
}

/// The files of the modules that `text` compiles only for tests. It fails for any other item that
/// is compiled only for tests, because such an item is not what is shipped.
fn test_files(file: &Path, text: &str) -> Vec<PathBuf> {
    let folder = match file.file_stem().and_then(|stem| stem.to_str()) {
        Some("mod" | "main" | "lib") => file.parent().unwrap().to_owned(),
        _ => file.with_extension(""),
    };
    let module = |(at, _): (usize, &str)| {
        let rest = &text[at + FOR_TESTS.len()..];
        let named = rest.strip_prefix("#[path=\"").and_then(|rest| rest.split('"').next());
        if let Some(named) = named {
            return file.parent().unwrap().join(named);
        }
        let name = rest.strip_prefix("pub").unwrap_or(rest).strip_prefix("mod");
        let name = name.and_then(|rest| rest.split_once(';')).map(|(name, _)| name);
        let is_name = |name: &&str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let name = name.filter(is_name);
        let name = name.unwrap_or_else(|| panic!("{}: {rest:.40} is for tests", file.display()));
        folder.join(format!("{name}.rs"))
    };
    text.match_indices(FOR_TESTS).map(module).collect()
}

/// The calls that read a variable. A string literal has to follow as the name.
const READS: [&str; 4] = ["env::var(", "env::var_os(", "option_env!(", "env!("];

/// The calls whose name cannot be seen here.
const HIDDEN: [&str; 5] = ["env::vars", "use std::env", "use::std::env", "env::{", "getenv("];

/// The variable that Cargo itself sets while it compiles.
const CARGO: &str = "CARGO_PKG_VERSION";

fn variables(program: &str, text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for hidden in HIDDEN.map(|way| way.replace(' ', "")) {
        assert!(!text.contains(&hidden), "{program} reads variables by `{hidden}`");
    }
    assert!(!text.contains("env=\"") && !text.contains(",env)"), "{program}: clap reads one");
    for way in READS {
        for (at, _) in text.match_indices(way) {
            let rest = &text[at + way.len()..];
            let name = rest.strip_prefix('"').and_then(|rest| rest.split('"').next());
            let name = name.unwrap_or_else(|| panic!("{program}: {way}{:.20}: no name", rest));
            if name != CARGO {
                found.insert(name.to_owned());
            }
        }
    }
    found
}

fn in_sources() -> Read {
    let mut all = Read::new();
    for (folder, programs) in [
        ("deploy", &["deploy"][..]),
        ("agent", &["deploy-agent"]),
        ("wire", &["deploy", "deploy-agent"]),
        ("delta", &["deploy", "deploy-agent"]),
    ] {
        for (file, text) in code(folder) {
            for name in variables(&file.display().to_string(), &text) {
                all.extend(programs.iter().map(|program| ((*program).to_owned(), name.clone())));
            }
        }
    }
    all
}

fn in_docs() -> Read {
    let text = fs::read_to_string(cli().join("../docs/environment.md")).unwrap();
    let table =
        text.split("<!-- variables -->").nth(1).unwrap().split("<!-- end -->").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        assert!(!cells[3].is_empty(), "{row}: what is it for?");
        (cells[2].to_owned(), cells[1].to_owned())
    })
    .collect()
}

#[test]
fn every_variable_is_in_the_list_and_nothing_else() {
    assert_eq!(in_sources(), in_docs());
}

#[test]
fn no_feature_and_no_setting_of_the_compiler_changes_the_programs() {
    for program in ["deploy", "agent", "wire", "delta"] {
        let manifest = fs::read_to_string(cli().join(program).join("Cargo.toml")).unwrap();
        assert!(!manifest.contains("[features]"), "{program} has features");
        for (file, text) in code(program) {
            let others = text.replace(FOR_TESTS, "");
            for condition in ["cfg(", "cfg!(", "cfg_attr("] {
                assert!(!others.contains(condition), "{} has a `{condition}`", file.display());
            }
        }
    }
}

/// An item that only tests use belongs into a module of its own.
#[test]
fn only_modules_are_for_tests() {
    for program in ["deploy", "agent", "wire", "delta"] {
        for (file, text) in code(program) {
            for (at, marker) in text.match_indices("#[cfg(test)]") {
                let rest = &text[at + marker.len()..];
                let starts = |word| rest.starts_with(word);
                let is_module = starts("mod") || starts("pubmod") || starts("#[path=");
                assert!(is_module, "{}: {rest:.30}", file.display());
            }
        }
    }
}
