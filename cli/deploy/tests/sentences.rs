//! Compares docs/what-deploy-says.md with the sentences in the programs' sources.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod sources;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use proc_macro2::{TokenStream, TokenTree};
use sources::{cli, code, sources};
use syn::Lit;

/// The sentences of each file.
type Sentences = BTreeMap<String, BTreeSet<String>>;

/// The sources of the sentences about a machine's facts, the plan, an attempt's course and its end.
const TOLD_BY: [&str; 11] = [
    "deploy/src/report/words",
    "deploy/src/stages/ask",
    "deploy/src/stages/plan.rs",
    "deploy/src/stages/plan/profiles.rs",
    "deploy/src/commands/plan.rs",
    "deploy/src/commands/status.rs",
    "deploy/src/stages/conclude.rs",
    "deploy/src/stages/confirm",
    "deploy/src/queries/watch.rs",
    "agent/src/attempt/watch",
    "agent/src/attempt/ledger.rs",
];

/// Whether a text is more than a name: it has a word and a blank besides its placeholders.
fn is_sentence(text: &str) -> bool {
    let mut inside = false;
    let bare: String = text
        .chars()
        .filter(|letter| {
            inside = (inside || *letter == '{') && *letter != '}';
            !inside && *letter != '}'
        })
        .collect();
    let has_word = bare.split(|c: char| !c.is_ascii_alphabetic()).any(|word| word.len() > 2);
    has_word && bare.contains(' ')
}

/// The string literals in code. Attributes, and texts that only a bug in the program would show,
/// are left out.
fn texts(tokens: TokenStream, found: &mut BTreeSet<String>) {
    let mut skips = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                if !skips {
                    texts(group.stream(), found);
                }
                skips = false;
            }
            TokenTree::Literal(literal) => {
                if let Lit::Str(text) = Lit::new(literal) {
                    found.extend(Some(text.value()).filter(|text| is_sentence(text)));
                }
            }
            TokenTree::Ident(ident) => skips = ident == "expect",
            TokenTree::Punct(punct) => skips = punct.as_char() == '#',
        }
    }
}

/// Whether a file prints sentences. Tests do not, and `greeting.rs` writes for the machine's shell.
fn is_told(file: &Path) -> bool {
    let has = |name: &str| file.components().any(|part| part.as_os_str() == name);
    !["tests", "tests.rs", "here.rs", "greeting.rs"].into_iter().any(has)
}

fn in_sources() -> Sentences {
    let files = TOLD_BY.iter().flat_map(|place| {
        let place = cli().join(place);
        if place.is_dir() { sources(&place) } else { vec![place] }
    });
    let mut all = Sentences::new();
    for file in files.filter(|file| is_told(file)) {
        let mut found = BTreeSet::new();
        texts(code(&file).parse().unwrap(), &mut found);
        if !found.is_empty() {
            let name = file.strip_prefix(cli()).unwrap().display();
            all.insert(format!("cli/{name}"), found);
        }
    }
    all
}

/// The sentences of the page. A sentence without a fact fails.
fn on_the_page() -> Sentences {
    let page = cli().join("../docs/what-deploy-says.md");
    let mut all = Sentences::new();
    let mut file = String::new();
    for line in fs::read_to_string(page).unwrap().lines() {
        if let Some(name) = line.strip_prefix("## ") {
            name.clone_into(&mut file);
        }
        let Some(row) = line.strip_prefix("| `") else { continue };
        let (sentence, fact) = match row.strip_prefix("` ") {
            Some(row) => row.split_once(" `` | ").unwrap(),
            None => row.split_once("` | ").unwrap(),
        };
        assert!(fact.trim_end_matches('|').trim().len() > 5, "no fact: {line}");
        let is_new = all.entry(file.clone()).or_default().insert(sentence.to_owned());
        assert!(is_new, "twice: {line}");
    }
    all
}

#[test]
fn every_sentence_has_its_fact() {
    let (said, listed) = (in_sources(), on_the_page());
    let lacks = |these: &Sentences, those: &Sentences| -> Vec<String> {
        let none = BTreeSet::new();
        let of = |(file, sentences): (&String, &BTreeSet<String>)| {
            let others = those.get(file).unwrap_or(&none);
            let missing = sentences.difference(others);
            missing.map(|sentence| format!("{file}: {sentence}")).collect::<Vec<_>>()
        };
        these.iter().flat_map(of).collect()
    };
    assert!(said.len() > 15 && said.values().map(BTreeSet::len).sum::<usize>() > 150);
    assert_eq!(lacks(&said, &listed), [""; 0], "without a fact in docs/what-deploy-says.md");
    assert_eq!(lacks(&listed, &said), [""; 0], "in docs/what-deploy-says.md, and nobody says it");
}

#[test]
fn a_sentence_is_told_from_a_name() {
    let mut found = BTreeSet::new();
    let code = r#"#[doc = "not a word of it"] fn f() { say("it goes back"); x.expect("never seen");
        format!("{machine}: {why}"); match a { "committed" => "{} is \"so\"", _ => " and boots" } }"#;
    texts(code.parse().unwrap(), &mut found);
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    assert_eq!(found, [" and boots", "it goes back"]);
}
