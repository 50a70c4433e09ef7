//! The figures as a table: medians, and ratios of medians.

use super::case::{ALL, Case};
use super::figure::{Figure, Side, median};

/// The tables of all cases that were measured, as Markdown.
pub fn page(figures: &[Figure]) -> String {
    let mut whole = String::from(
        "| | round trip | runs | `deploy` | deploy-rs | ratio | logins | memory while pushing |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let mut pushes = String::from(
        "| | round trip | runs | `deploy push` | `nix copy` | `nix copy`, compressed | ratio to \
         the better |\n|---|---|---|---|---|---|---|\n",
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
        pushes += &format!(
            "| {} | {} ms | {} | {push:.2} s | {plain:.2} s | {compressed:.2} s | {:.2} |\n",
            case.title,
            case.round_trip_ms,
            of(Side::Push).all().count(),
            push / plain.min(compressed),
        );
    }
    format!("{whole}\n{pushes}")
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
