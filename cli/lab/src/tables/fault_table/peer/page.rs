//! The page that shows deploy-rs's table next to what `deploy` must do.

use std::fmt::Write as _;

use anyhow::Result;

use super::rows::{Place, place};
use super::seen::{Said, Seen, load};
use super::{Phase, Row};
use crate::tables::document::Document;
use crate::tables::fault_table::Fault;
use crate::tables::fault_table::cells::{Cell, cell};

/// The page of deploy-rs's table.
pub const PAGE: Document =
    Document { name: "faults-deploy-rs.md", make, compared: |kept, made| Ok((kept, made)) };

/// The text above the table.
const ABOVE: &str = include_str!("above.md");

/// The text below the table.
const BELOW: &str = include_str!("below.md");

/// The number of cells, of those that were run, and of those that ended as `deploy` promises.
#[derive(Default)]
struct Count {
    all: u32,
    run: u32,
    well: u32,
}

impl Count {
    fn add(&mut self, place: Place, seen: Option<&Seen>) {
        self.all += u32::from(place != Place::Nothing);
        let (Place::Tried, Some(seen)) = (place, seen) else { return };
        self.run += 1;
        self.well += u32::from(seen.wrong().is_empty());
    }
}

fn make() -> Result<String> {
    let mut table = String::new();
    let heads = Phase::ALL.map(|phase| phase.to_string()).join(" | ");
    writeln!(table, "| fault | | {heads} |\n|{}", "---|".repeat(Phase::ALL.len() + 2))?;
    let (mut count, mut notes) = (Count::default(), String::new());
    for fault in Fault::ALL {
        for row in Row::of(fault) {
            write!(table, "| {row} | deploy-rs |")?;
            for phase in Phase::ALL {
                let (place, seen) = (place(row, phase), load(row, phase)?);
                count.add(place, seen.as_ref());
                if let Place::NotTried(why) | Place::Varies(why) = place {
                    writeln!(notes, "- {row}, {phase}: {why}.")?;
                }
                write!(table, " {} |", words(place, seen.as_ref()))?;
            }
            writeln!(table)?;
        }
        let ours = Phase::ALL.map(|phase| must(cell(fault, phase.beside()))).join(" | ");
        writeln!(table, "| | `deploy` | {ours} |")?;
    }
    let Count { all, run, well } = count;
    let sum = format!(
        "{run} of {all} cells of deploy-rs were run. In {well} of them nothing is wrong, in {} \
         something is.",
        run - well
    );
    Ok(format!("{ABOVE}\n{sum}\n\n{table}\n{notes}\n{BELOW}"))
}

fn words(place: Place, seen: Option<&Seen>) -> String {
    match (place, seen) {
        (Place::Nothing, _) => "·".into(),
        (Place::NotTried(_), _) => "not tried".into(),
        (Place::Varies(_), _) => "varies".into(),
        (Place::Tried, None) => "unrun".into(),
        (Place::Tried, Some(seen)) => told(seen),
    }
}

/// Describes a result: the system, what is wrong or else what was reported, and the exit code.
fn told(seen: &Seen) -> String {
    let one = seen.boots.filter(|boots| seen.runs == Some(*boots));
    let one = one.map(|system| format!("{system}: ")).unwrap_or_default();
    let wrong = seen.wrong();
    let words = match seen.said {
        _ if !wrong.is_empty() => format!("**{}**", wrong.join("; ")),
        Said::Confirmed => "deployed".into(),
        Said::RolledBack => "rolled back".into(),
        Said::Failed => "failed".into(),
        Said::Nothing | Said::Killed => "killed".into(),
    };
    let code = seen.code.map(|code| format!(", {code}")).unwrap_or_default();
    format!("{one}{words}{code}")
}

/// The end that `deploy` must come to.
fn must(cell: Cell) -> String {
    match cell {
        Cell::Nothing => "·".into(),
        Cell::Impossible(_) => "cannot be".into(),
        Cell::Ends(ending, said) => match said {
            Some(said) if said == ending => ending.to_string(),
            Some(said) => format!("{ending}, says {said}"),
            None => format!("{ending}, killed"),
        },
    }
}
