//! The page of the table, `docs/faults.md`. It is generated from results, never written by hand.

use std::fmt::{self, Write as _};

use anyhow::Result;

use super::cells::{Cell, cell, not_on_real};
use super::seen::{Seen, load};
use super::{Fault, Phase};
use crate::systems::Lane;
use crate::tables::document::Document;

/// The page of `deploy`'s table. The comparison covers the cells of the stand-in that were run;
/// where the real lane was not run, its results are left out, because running all of it takes an
/// hour.
pub const PAGE: Document = Document { name: "faults.md", make, compared };

/// The text above the table.
const ABOVE: &str = include_str!("above.md");
/// The text between the table and that of the hostile lane.
const HOSTILE: &str = include_str!("hostile.md");

fn make() -> Result<String> {
    let mut text = ABOVE.to_owned();
    text += &heads();
    let mut notes = String::new();
    // The number of cells in total, and of those run on each lane and on both.
    let mut count = Count::default();
    for fault in Fault::ALL {
        let mut line = format!("| {fault} |");
        for phase in Phase::ALL {
            let seen = [load(Lane::StandIn, fault, phase)?, load(Lane::Real, fault, phase)?];
            let place = cell(fault, phase);
            count.add(place, &seen);
            write!(line, " {} |", words(place, &seen))?;
            if let Cell::Impossible(why) = place {
                writeln!(notes, "- {fault}, {phase}: {why}.")?;
            } else if let Some(why) = not_on_real(fault, phase) {
                writeln!(notes, "- {fault}, {phase}, on real NixOS: {why}.")?;
            }
        }
        writeln!(text, "{line}")?;
    }
    write!(text, "\n{count}\n\n{notes}\n{HOSTILE}{}", heads())?;
    text += &hostile()?;
    Ok(text.trim_end().to_owned() + "\n")
}

fn heads() -> String {
    let heads: Vec<&str> = Phase::ALL.iter().map(|phase| phase.word()).collect();
    format!("\n| fault | {} |\n|{}\n", heads.join(" | "), "---|".repeat(heads.len() + 1))
}

/// The rows of the hostile lane, and the number of its cells that were run.
fn hostile() -> Result<String> {
    let mut text = String::new();
    let (mut all, mut run) = (0, 0);
    for fault in Fault::MAIN {
        let mut line = format!("| {fault} |");
        for phase in Phase::ALL {
            let (place, seen) = (cell(fault, phase), load(Lane::Hostile, fault, phase)?);
            all += u32::from(matches!(place, Cell::Ends(..)));
            run += u32::from(seen.is_some());
            write!(line, " {} |", words(place, &[seen, None]))?;
        }
        writeln!(text, "{line}")?;
    }
    writeln!(text, "\n{run} of {all} cells were run.")?;
    Ok(text)
}

/// The number of cells, and of those that were run.
#[derive(Default)]
struct Count {
    all: u32,
    run: u32,
    both: u32,
}

impl Count {
    fn add(&mut self, place: Cell, seen: &[Option<Seen>; 2]) {
        self.all += u32::from(matches!(place, Cell::Ends(..)));
        self.run += u32::from(seen.iter().any(Option::is_some));
        self.both += u32::from(seen.iter().all(Option::is_some));
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { all, run, both } = self;
        write!(f, "{run} of {all} cells were run, {both} of them on both lanes.")
    }
}

fn words(place: Cell, seen: &[Option<Seen>; 2]) -> String {
    match (place, seen) {
        (Cell::Nothing, _) => "·".into(),
        (Cell::Impossible(_), _) => "cannot be".into(),
        (_, [None, None]) => "unrun".into(),
        (Cell::Ends(..), [Some(stand_in), None]) => shown(stand_in),
        (Cell::Ends(..), [None, Some(real)]) => format!("{} · real alone", shown(real)),
        (Cell::Ends(..), [Some(stand_in), Some(real)]) => {
            let (stand_in, real) = (shown(stand_in), shown(real));
            if stand_in == real {
                format!("{real} · both")
            } else {
                format!("{stand_in} · real: {real}")
            }
        }
    }
}

fn shown(seen: &Seen) -> String {
    let code = seen.code.map_or("killed".into(), |code| code.to_string());
    let points = match seen.points {
        1 => String::new(),
        points => format!(", at {points} points"),
    };
    format!("{}, boots {}, {code}{points}", seen.ending, seen.boots)
}

fn compared(kept: String, made: String) -> Result<(String, String)> {
    if seen_on(Lane::Real)? {
        return Ok((kept, made));
    }
    let made = stand_in_half(&made);
    Ok((as_far_as_run(&stand_in_half(&kept), &made), made))
}

/// The table of `kept` without the cells that were not run for `made`.
fn as_far_as_run(kept: &str, made: &str) -> String {
    let place = |(kept, made): (&str, &str)| match made.trim() {
        "unrun" => made.to_owned(),
        _ => kept.to_owned(),
    };
    let line = |(kept, made): (&str, &str)| {
        kept.split('|').zip(made.split('|')).map(place).collect::<Vec<_>>().join("|") + "\n"
    };
    kept.lines().zip(made.lines()).map(line).collect()
}

fn seen_on(lane: Lane) -> Result<bool> {
    for fault in Fault::ALL {
        for phase in Phase::ALL {
            if load(lane, fault, phase)?.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The lines of the table without the results of the real lane.
fn stand_in_half(page: &str) -> String {
    let place = |place: &str| match place.trim().split_once(" · ") {
        Some((_, "real alone")) => " unrun ".to_owned(),
        Some((stand_in, _)) => format!(" {stand_in} "),
        None => place.to_owned(),
    };
    let line = |line: &str| line.split('|').map(place).collect::<Vec<_>>().join("|") + "\n";
    page.lines().filter(|line| line.starts_with('|')).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Ending, System};
    use super::*;

    const PLACE: Cell = Cell::Ends(Ending::RolledBack, Some(Ending::RolledBack));

    fn seen(boots: System) -> Option<Seen> {
        let evidence = String::new();
        Some(Seen { ending: Ending::RolledBack, boots, code: Some(3), points: 1, evidence })
    }

    #[test]
    fn a_place_says_which_lanes_came_to_it() {
        let old = || seen(System::Old);
        assert_eq!(words(PLACE, &[None, None]), "unrun");
        assert_eq!(words(PLACE, &[old(), None]), "rolled back, boots old, 3");
        assert_eq!(words(PLACE, &[None, old()]), "rolled back, boots old, 3 · real alone");
        assert_eq!(words(PLACE, &[old(), old()]), "rolled back, boots old, 3 · both");
        assert_eq!(
            words(PLACE, &[old(), seen(System::Other)]),
            "rolled back, boots old, 3 · real: rolled back, boots other, 3"
        );
    }

    #[test]
    fn half_a_page_is_the_stand_in_s() {
        let page =
            "# A page\n\n| f | a, 1 · both | b, 2 · real: c, 3 | d, 4 · real alone | · | e |\n";
        let half = stand_in_half(page);
        assert_eq!(half, "| f | a, 1 | b, 2 | unrun | · | e |\n");
        let made = "| f | a, 1 | unrun | unrun | · | other |\n";
        assert_eq!(as_far_as_run(&half, made), "| f | a, 1 | unrun | unrun | · | e |\n");
    }
}
