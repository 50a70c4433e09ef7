//! The figures as a table: medians, and ratios of medians.

use super::case::{ALL, Case, Work};
use super::figure::{Figure, Side, median};

/// The tables of all cases that were measured, as Markdown.
pub fn page(figures: &[Figure]) -> String {
    let mut whole = String::from(
        "| | round trip | runs | `deploy` | deploy-rs | ratio | logins | memory while pushing |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let mut pushes = String::from(
        "| | round trip | runs | `deploy push` | `nix copy` | its sync | `nix copy`, \
         compressed | ratio to the better | with the sync |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for case in ALL {
        let of = |side| Of { figures, case, side };
        let (ours, theirs) = (of(Side::Deploy), of(Side::DeployRs));
        let Some((mine, other)) = ours.seconds().zip(theirs.seconds()) else { continue };
        whole += &format!(
            "| {} | {} ms | {} | {mine:.2} s | {other:.2} s | {:.2} | {} / {} | {} / {} |\n",
            case.title,
            case.round_trip_ms,
            ours.all().count(),
            mine / other,
            ours.logins(),
            theirs.logins(),
            ours.memory(),
            theirs.memory(),
        );
        let (plain, compressed) = (of(Side::NixCopy), of(Side::NixCopyCompressed));
        let copies = plain.seconds().zip(compressed.seconds());
        let Some((push, (plain, compressed))) = of(Side::Push).seconds().zip(copies) else {
            continue;
        };
        let better = plain.min(compressed);
        let sync = of(Side::SyncOfCopy).seconds().unwrap_or_default();
        pushes += &format!(
            "| {} | {} ms | {} | {push:.2} s | {plain:.2} s | {sync:.2} s | {compressed:.2} s | \
             {:.2} | {:.2} |\n",
            case.title,
            case.round_trip_ms,
            of(Side::Push).all().count(),
            push / better,
            push / (better + sync),
        );
    }
    format!("{whole}\n{pushes}\n{}{}", timelines(figures), evaluations(figures))
}

/// What evaluations take, if any was measured.
fn evaluations(figures: &[Figure]) -> String {
    let mut text = String::new();
    for case in ALL {
        let of = |side| Of { figures, case, side };
        let sides = [
            ("one process for all", Side::FleetByOne),
            ("a process for each, on all processors", Side::FleetBySeveral),
            ("one machine, a tree with changes", Side::TreeChanged),
            ("the same contents again", Side::TreeChangedBack),
        ];
        let Some(alone) = of(Side::FleetByOne).seconds() else { continue };
        text += &format!(
            "\n| {} | runs | seconds | ratio | memory |\n|---|---|---|---|---|\n",
            case.title
        );
        for (name, side) in sides {
            let Some(seconds) = of(side).seconds() else { continue };
            let (runs, memory) = (of(side).all().count(), of(side).memory());
            let ratio = seconds / alone;
            text += &format!("| {name} | {runs} | {seconds:.2} s | {ratio:.2} | {memory} |\n");
        }
    }
    text
}

/// Where the time of `deploy` goes in each case: the medians of its parts; beside them the floors, and
/// how long all that a deploy needs of them would take.
fn timelines(figures: &[Figure]) -> String {
    let mut text = String::from(
        "| | round trip | parts of `deploy`, in ms | floors, in ms | together, beside deploy-rs |\n\
         |---|---|---|---|---|\n",
    );
    for case in ALL {
        let of = |side| Of { figures, case, side };
        let ours: Vec<_> = of(Side::Deploy).all().collect();
        let Some(last) = ours.last() else { continue };
        // Each run of a case has the same parts, in the same order.
        let parts = last.parts.iter().enumerate().map(|(at, part)| {
            let same = ours.iter().filter_map(|figure| figure.parts.get(at));
            let took = same.filter(|other| other.part == part.part);
            let took = median(took.map(|other| other.milliseconds as f64).collect());
            format!("{} {:.0}", part.part, took.unwrap_or_default())
        });
        let floors = [
            ("evaluation", Side::Evaluation, 1),
            ("login", Side::Login, of(Side::Deploy).logins()),
            ("switch", Side::Switch, u64::from(case.work == Work::Change)),
            ("sync", Side::Sync, 1),
        ];
        let floors: Vec<_> = floors
            .into_iter()
            .filter_map(|(name, side, times)| Some((name, of(side).seconds()?, times)))
            .collect();
        let together: f64 = floors.iter().map(|(_, seconds, times)| seconds * *times as f64).sum();
        let beside = of(Side::DeployRs).seconds().filter(|_| !floors.is_empty());
        text += &format!(
            "| {} | {} ms | {} | {} | {} |\n",
            case.title,
            case.round_trip_ms,
            parts.collect::<Vec<_>>().join(", "),
            floors
                .iter()
                .map(|(name, seconds, times)| format!("{times} × {name} {:.0}", seconds * 1000.0))
                .collect::<Vec<_>>()
                .join(", "),
            beside.map_or("-".into(), |other| format!("{together:.2} s, {:.2}", together / other)),
        );
    }
    text
}

/// The runs of one side in one case.
struct Of<'a> {
    figures: &'a [Figure],
    case: Case,
    side: Side,
}

impl<'a> Of<'a> {
    fn all(&self) -> impl Iterator<Item = &'a Figure> {
        let (case, side) = (self.case.name, self.side);
        self.figures.iter().filter(move |figure| figure.case == case && figure.side == side)
    }

    fn seconds(&self) -> Option<f64> {
        median(self.all().map(|figure| figure.seconds).collect())
    }

    fn logins(&self) -> u64 {
        self.all().map(|figure| figure.logins).max().unwrap_or_default()
    }

    fn memory(&self) -> String {
        let peaks = self.all().filter_map(|figure| figure.peak_kib).map(|kib| kib as f64);
        median(peaks.collect()).map_or("-".into(), |kib| format!("{:.0} MiB", kib / 1024.0))
    }
}
