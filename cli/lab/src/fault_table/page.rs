//! The page that shows the table, `docs/faults.md`: made of what was seen, never by hand.

use std::fmt::Write as _;

use anyhow::Result;

use super::{Cell, Document, Fault, Phase, Seen, cell, load};

/// The page of `deploy`'s own table.
pub const PAGE: Document = Document { name: "faults.md", make };

/// What stands before the table.
const ABOVE: &str = include_str!("above.md");

fn make() -> Result<String> {
    let mut text = ABOVE.to_owned();
    let heads: Vec<&str> = Phase::ALL.iter().map(|phase| phase.word()).collect();
    writeln!(text, "\n| fault | {} |\n|{}", heads.join(" | "), "---|".repeat(heads.len() + 1))?;
    let mut notes = String::new();
    let (mut run, mut all) = (0, 0);
    for fault in Fault::ALL {
        let mut line = format!("| {fault} |");
        for phase in Phase::ALL {
            let seen = load(fault, phase)?;
            let place = cell(fault, phase);
            all += u32::from(matches!(place, Cell::Ends(..) | Cell::Unrun(_)));
            run += u32::from(seen.is_some());
            write!(line, " {} |", words(place, seen.as_ref()))?;
            if let Cell::Impossible(why) | Cell::Unrun(why) = place {
                writeln!(notes, "- {fault}, {phase}: {why}.")?;
            }
        }
        writeln!(text, "{line}")?;
    }
    writeln!(text, "\n{run} of {all} cells were run.\n\n{notes}")?;
    Ok(text.trim_end().to_owned() + "\n")
}

fn words(place: Cell, seen: Option<&Seen>) -> String {
    match (place, seen) {
        (Cell::Nothing, _) => "·".into(),
        (Cell::Impossible(_), _) => "cannot be".into(),
        (Cell::Unrun(_), _) | (_, None) => "unrun".into(),
        (Cell::Ends(..), Some(seen)) => {
            let code = seen.code.map_or("killed".into(), |code| code.to_string());
            let points = match seen.points {
                1 => String::new(),
                points => format!(", at {points} points"),
            };
            format!("{}, boots {}, {code}{points}", seen.ending, seen.boots)
        }
    }
}
