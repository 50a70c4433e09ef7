//! The error types that the programs' sources declare, and their variants.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use anyhow::{Result, ensure};
use regex::Regex;

use crate::sources::{cli, code, sources};

const CRATES: [&str; 3] = ["agent", "deploy", "wire"];

/// Enums that tell apart what an error type holds in a field.
const KINDS: [&str; 2] = ["Diagnosis", "RefusalKind"];

static TYPE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?m)^(?P<indent> *)(?:pub(?:\([^)]*\))? )?(?P<what>enum|struct) (?P<name>\w+)")
});
static DERIVED: LazyLock<Regex> = LazyLock::new(|| pattern(r"derive\([^)]*\bError\b"));
static IMPLEMENTED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"impl(?:<[^{;]*>)? (?:\w+::)*Error for (\w+)"));
static VARIANT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^( *)([A-Z]\w*)\b"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of ours")
}

/// A type as rustfmt leaves it.
struct Declared {
    is_enum: bool,
    /// Whether an attribute makes it an error.
    is_derived: bool,
    /// With its crate, as `deploy::NixError`.
    path: String,
    name: String,
    variants: Vec<String>,
}

/// `CRATE::TYPE::VARIANT` of every error enum, `CRATE::TYPE` of every error struct. An error
/// derives or implements `Error`, or is an enum that some `Result` has for one.
pub fn variants() -> Result<BTreeSet<String>> {
    let mut types = Vec::new();
    let mut errors: BTreeSet<String> = KINDS.map(str::to_owned).into();
    let mut failures = BTreeSet::new();
    for name in CRATES {
        let folder = cli().join(name).join("src");
        for file in sources(&folder) {
            let text = code(&file);
            types.extend(declared(name, &text));
            errors.extend(IMPLEMENTED.captures_iter(&text).map(|found| found[1].to_owned()));
            failures.extend(failures_of_results(&text));
        }
    }
    for kind in KINDS {
        ensure!(types.iter().any(|one| one.is_enum && one.name == kind), "no enum is a {kind}");
    }
    let is_error = |one: &&Declared| {
        let fails = one.is_enum && failures.contains(&one.name);
        one.is_derived || errors.contains(&one.name) || fails
    };
    Ok(types.iter().filter(is_error).flat_map(Declared::parts).collect())
}

impl Declared {
    fn parts(&self) -> Vec<String> {
        if self.is_enum {
            self.variants.iter().map(|variant| format!("{}::{variant}", self.path)).collect()
        } else {
            vec![self.path.clone()]
        }
    }
}

fn declared(crate_name: &str, text: &str) -> Vec<Declared> {
    let one = |found: regex::Captures<'_>| {
        let whole = found.get(0).expect("a match");
        let (before, after) = (&text[..whole.start()], &text[whole.end()..]);
        let attributes = &before[before.rfind("\n\n").unwrap_or(0)..];
        let indent = &found["indent"];
        let end = after.find(&format!("\n{indent}}}")).unwrap_or(0);
        let variants = VARIANT.captures_iter(&after[..end]);
        let variants = variants.filter(|line| line[1].len() == indent.len() + 4);
        Declared {
            is_enum: &found["what"] == "enum",
            is_derived: DERIVED.is_match(attributes),
            path: format!("{crate_name}::{}", &found["name"]),
            name: found["name"].to_owned(),
            variants: variants.map(|line| line[2].to_owned()).collect(),
        }
    };
    TYPE.captures_iter(text).map(one).collect()
}

/// The second type of each `Result<…, …>`, without its path and a box around it.
fn failures_of_results(text: &str) -> BTreeSet<String> {
    let results = text.match_indices("Result<");
    results.filter_map(|(at, word)| last_argument(&text[at + word.len()..])).collect()
}

fn last_argument(text: &str) -> Option<String> {
    let (mut depth, mut comma) = (0, None);
    let mut last = ' ';
    for (at, letter) in text.char_indices() {
        match letter {
            '<' | '(' | '[' => depth += 1,
            // The end of the arguments, not the head of an arrow.
            '>' if depth == 0 && last != '-' => {
                let argument = text[comma?..at].trim().trim_end_matches(',');
                let argument = argument.strip_prefix("Box<").unwrap_or(argument);
                let path = argument.split(['<', '>']).next()?;
                return path.rsplit("::").next().map(str::to_owned);
            }
            ')' | ']' => depth -= 1,
            '>' if last != '-' => depth -= 1,
            ',' if depth == 0 && comma.is_none() => comma = Some(at + 1),
            _ => {}
        }
        last = letter;
    }
    None
}
