//! Compares each sentence of SECURITY.md with the tests that it names.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

#[allow(dead_code, reason = "shared with tests that read code alone")]
mod sources;

use std::{fs, path::Path};

use sources::{cli, code, sources};

/// The names of tests among the words in backticks. A name has several parts, or several words as
/// in nix/tests.
fn named(text: &str) -> Vec<&str> {
    let is_name = |word: &&str| {
        let joint = |c: char| matches!(c, '_' | '-');
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || joint(c);
        let of_rust = word.chars().all(|c| letters(c) || c == '/');
        of_rust && !word.starts_with('-') && word.matches(joint).count() >= 3
            || word.matches(' ').count() >= 4
    };
    text.split('`').skip(1).step_by(2).filter(is_name).collect()
}

fn exists(name: &str, tests: &[String]) -> bool {
    let case = Path::new("../lab/tests/refusals/cases").join(format!("{name}.toml"));
    let shape = Path::new("../lab/tests/flakes/shapes").join(format!("{name}.toml"));
    let ways = [format!("fn {name}("), format!("\"{name}\"")];
    let is_said = || tests.iter().any(|text| ways.iter().any(|way| text.contains(way)));
    case.exists() || shape.exists() || is_said()
}

fn page() -> String {
    fs::read_to_string(cli().join("../SECURITY.md")).unwrap()
}

/// The paragraphs, list items and table rows, each in one line, between the introduction and the
/// section about reporting. Lines that end with a colon and heads of tables are left out.
fn blocks(page: &str) -> Vec<String> {
    let from = page.find("\n## ").unwrap();
    let to = page.find("\n## Reporting").unwrap();
    let mut blocks: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in page[from..to].lines() {
        let begins = line.starts_with("- ") || line.starts_with("| ");
        let says = !line.trim().is_empty() && !line.starts_with('#') && !line.starts_with("|---");
        match blocks.last_mut().filter(|_| goes_on && !begins && says) {
            Some(block) => *block += &format!(" {}", line.trim()),
            None if says => blocks.push(line.trim_start_matches("- ").to_owned()),
            None => {}
        }
        goes_on = says;
    }
    let head = |block: &String| block.starts_with("| key |");
    let leads_in = |block: &String| block.ends_with(':') || block.split(' ').count() <= 3;
    blocks.retain(|block| !head(block) && !leads_in(block));
    blocks
}

/// The sentences of a block that name neither a test nor a limit.
fn unproved(block: &str) -> Vec<&str> {
    let marks = ["**Trust:**", "**Limit:**"];
    let refers = block.starts_with("| ") && block.ends_with("| see below |");
    let is_marked = |text: &str| marks.iter().any(|mark| text.contains(mark));
    if refers || is_marked(block) {
        return Vec::new();
    }
    let sentences = block.split_inclusive(". ").filter(|text| !text.trim().is_empty());
    sentences.filter(|sentence| named(sentence).is_empty()).collect()
}

#[test]
fn every_test_that_the_security_page_names_exists() {
    let page = page();
    let folders = [
        "deploy/src",
        "deploy/tests",
        "agent/src",
        "wire/src",
        "delta/src",
        "delta/tests",
        "lab/tests/scenarios",
    ];
    let files = folders.iter().flat_map(|folder| sources(&cli().join(folder)));
    let mut tests: Vec<String> = files.map(|file| fs::read_to_string(file).unwrap()).collect();
    // When Nix builds the programs, the tests of the flake are not available.
    let of_nix = fs::read_to_string(cli().join("../nix/tests/deploy-target.nix")).ok();
    let is_here = |name: &&str| of_nix.is_some() || !name.contains(' ');
    tests.extend(of_nix.clone());
    let names = named(&page);
    assert!(names.len() > 30, "{names:?}");
    for name in names.into_iter().filter(is_here) {
        assert!(exists(name, &tests), "there is no test `{name}`");
    }
    assert!(!exists(&["a-test", "that-nobody-wrote"].join("-"), &tests));
}

#[test]
fn every_sentence_of_the_security_page_has_its_test_or_is_called_a_limit() {
    let page = page();
    let blocks = blocks(&page);
    assert!(blocks.len() > 30, "{blocks:#?}");
    let wrong: Vec<&str> = blocks.iter().flat_map(|block| unproved(block)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(unproved("Nobody can do that (`a_test_that_is_one`). Nor this."), ["Nor this."]);
    assert_eq!(unproved("**Limit:** anybody can."), Vec::<&str>::new());
}

#[test]
fn the_readme_leads_to_the_security_page_and_to_what_others_still_can_do() {
    let readme = fs::read_to_string(cli().join("../README.md")).unwrap();
    for link in ["(SECURITY.md)", "(docs/agent-on-the-machine.md#what-a-local-user-still-can-do)"] {
        assert!(readme.contains(link), "the README has no link {link}");
    }
}

#[test]
fn no_program_that_is_shipped_has_unsafe_code() {
    let roots = [
        "agent/src/main.rs",
        "deploy/src/main.rs",
        "deploy/src/lib.rs",
        "wire/src/lib.rs",
        "delta/src/lib.rs",
    ];
    for root in roots {
        let text = fs::read_to_string(cli().join(root)).unwrap();
        assert!(text.contains("\n#![forbid(unsafe_code)]\n"), "{root} does not forbid it");
    }
    for folder in ["agent/src", "deploy/src", "wire/src", "delta/src"] {
        for file in sources(&cli().join(folder)) {
            let keyword = ["unsafe {", "unsafe fn", "unsafe impl", "allow(unsafe"];
            let found = keyword.iter().find(|word| code(&file).contains(**word));
            assert_eq!(found, None, "{}", file.display());
        }
    }
}

/// A check that is skipped prints a line of its own, like any other skipped part.
#[test]
fn the_crates_are_looked_at_or_it_is_said_that_they_were_not() {
    let Ok(script) = fs::read_to_string(cli().join("../scripts/test")) else { return };
    for line in [
        "check --hide-inclusion-graph licenses bans sources",
        "check --hide-inclusion-graph advisories",
        "skip deny ",
        "skip advisories ",
    ] {
        assert!(script.contains(line), "scripts/test has no `{line}`");
    }
    let deny = fs::read_to_string(cli().join("../deny.toml")).unwrap();
    for section in ["[licenses]", "[bans]", "[sources]", "[advisories]"] {
        assert!(deny.contains(section), "deny.toml has no {section}");
    }
}
