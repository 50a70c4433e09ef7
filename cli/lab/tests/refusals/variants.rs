//! Every error variant of the programs has a refusal that shows it. `variants.toml` says which
//! one; where no refusal can, which test shows it instead, and why. That difference is printed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Result, bail};
use serde::Deserialize;

use crate::case::Case;
use crate::declared::variants;
use crate::sources::{cli, sources};

/// The trial's name.
pub const NAME: &str = "every-error-variant-has-its-case";

/// What shows a variant.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Shown {
    /// A refusal, in words that nothing else prints.
    Refusal { case: String, words: String },
    /// A scenario or a unit test, as no refusal can.
    Elsewhere { test: String, why: String },
}

type Table = BTreeMap<String, Shown>;

/// Compares the table with the sources and with the cases; prints what no refusal shows.
pub fn compare(cases: &[Case]) -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refusals/variants.toml");
    let table: Table = toml::from_str(&fs::read_to_string(file)?)?;
    let variants = variants()?;
    let known: BTreeSet<String> = table.keys().cloned().collect();
    let mut wrong: Vec<String> =
        variants.difference(&known).map(|one| format!("{one}: no line of it")).collect();
    wrong.extend(known.difference(&variants).map(|one| format!("{one}: there is no such variant")));
    let tests = tests()?;
    for (variant, shown) in &table {
        wrong.extend(shown.is_wrong(cases, &tests).map(|why| format!("{variant}: {why}")));
    }
    print!("{}", difference(&table));
    if !wrong.is_empty() {
        bail!("variants.toml is not right\n{}", wrong.join("\n"));
    }
    Ok(())
}

impl Shown {
    fn is_wrong(&self, cases: &[Case], tests: &[String]) -> Option<String> {
        match self {
            Self::Refusal { case, words } => match cases.iter().find(|one| one.name == *case) {
                None => Some(format!("there is no case {case}")),
                Some(found) if words.is_empty() || !found.text.said.contains(words.as_str()) => {
                    Some(format!("{case} does not say `{words}`"))
                }
                Some(_) => None,
            },
            Self::Elsewhere { test, .. } => {
                let named = [format!("\"{test}\""), format!("fn {test}()")];
                let exists = tests.iter().any(|text| named.iter().any(|name| text.contains(name)));
                (!exists).then(|| format!("there is no test {test}"))
            }
        }
    }
}

/// The texts of all files that have scenarios or unit tests.
fn tests() -> Result<Vec<String>> {
    let folders = [
        "lab/tests/scenarios",
        "lab/tests/flakes",
        "agent/src",
        "deploy/src",
        "deploy/tests",
        "wire/src",
    ];
    let mut texts = Vec::new();
    for folder in folders {
        for file in sources(&cli().join(folder)) {
            texts.push(fs::read_to_string(file)?);
        }
    }
    Ok(texts)
}

fn difference(table: &Table) -> String {
    let mut text = String::from("\n");
    let mut without = 0;
    for (variant, shown) in table {
        if let Shown::Elsewhere { test, why } = shown {
            without += 1;
            text += &format!("{variant}: {test}, as {why}\n");
        }
    }
    let (all, with) = (table.len(), table.len() - without);
    text + &format!("{all} error variants, {with} with a refusal case, {without} without\n")
}
