//! The page of the worlds, `docs/where-it-works.md`, generated from results.

use std::fmt::Write as _;

use anyhow::Result;

use super::array::all;
use super::seen::{Ending, load};
use super::{Axis, IMPOSSIBLE};
use crate::tables::document::Document;

/// The page. The comparison covers the worlds that were run, because `scripts/test` runs only a
/// few.
pub const PAGE: Document = Document { name: "where-it-works.md", make, compared };

/// The text above the table and below it.
const ABOVE: &str = include_str!("above.md");
const BELOW: &str = include_str!("below.md");

const UNRUN: &str = "unrun";

fn make() -> Result<String> {
    let mut text = ABOVE.to_owned();
    let heads = Axis::ALL.map(Axis::word).join(" | ");
    writeln!(text, "\n| | {heads} | what came of it |\n|{}", "---|".repeat(Axis::ALL.len() + 2))?;
    let (mut told, worlds) = (0, all()?);
    for world in &worlds {
        let seen = load(world)?;
        told += usize::from(seen == Some(Ending::Told));
        let came = match seen {
            None => UNRUN.to_owned(),
            Some(Ending::Told) => "the whole story".to_owned(),
            Some(Ending::Failed(step)) => format!("**fails**: {step}"),
        };
        let values = Axis::ALL.map(|axis| world.of(axis)).join(" | ");
        writeln!(text, "| {} | {values} | {came} |", world.number)?;
    }
    writeln!(text, "\nThe whole story was told in {told} of {} worlds.", worlds.len())?;
    writeln!(text, "\nWhat cannot be had together:\n")?;
    for ((one, first), (two, second), why) in IMPOSSIBLE {
        let (one, two) = (one.word(), two.word());
        writeln!(text, "- {one} {first} with {two} {second}: {why}.")?;
    }
    Ok(text + "\n" + BELOW)
}

/// Both pages without the count and without the worlds that were not run now.
fn compared(kept: String, made: String) -> Result<(String, String)> {
    let line = |(kept, made): (&str, &str)| match made.contains(&format!("| {UNRUN} |")) {
        true => [kept, kept].map(|line| line.rsplit_once(" | ").map_or(line, |it| it.0).to_owned()),
        false => [kept.to_owned(), made.to_owned()],
    };
    let counts = |line: &&str| !line.starts_with("The whole story was told");
    let pairs = kept.lines().filter(counts).zip(made.lines().filter(counts)).map(line);
    let [kept, made] = pairs.fold([String::new(), String::new()], |[kept, made], [one, two]| {
        [kept + &one + "\n", made + &two + "\n"]
    });
    Ok((kept, made))
}

#[cfg(test)]
mod tests {
    use super::compared;

    #[test]
    fn worlds_that_were_not_run_are_not_compared() {
        let kept =
            "| 1 | a | the whole story |\n| 2 | b | **fails**: no |\nThe whole story was told";
        let made = "| 1 | a | unrun |\n| 2 | b | the whole story |\nThe whole story was told in 1";
        let (kept, made) = compared(kept.into(), made.into()).unwrap();
        assert_eq!(kept, "| 1 | a\n| 2 | b | **fails**: no |\n");
        assert_eq!(made, "| 1 | a\n| 2 | b | the whole story |\n");
    }
}
