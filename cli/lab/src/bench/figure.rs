//! The measurements of one run of one program.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

/// A program that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// `deploy frame1`
    Deploy,
    /// `deploy --skip-checks .#frame2` of deploy-rs.
    DeployRs,
    /// `deploy push frame1`
    Push,
    /// `nix copy --to ssh-ng://…`
    NixCopy,
    /// `nix copy --to ssh-ng://…?compress=true`
    NixCopyCompressed,
    /// `sync -f` on the machine after `nix copy`, which leaves to the kernel when it writes.
    SyncOfCopy,
    /// A floor: the evaluation of the system, by Nix alone.
    Evaluation,
    /// A floor: `ssh frame1 true`.
    Login,
    /// A floor: the system's own `switch-to-configuration test`, on the machine.
    Switch,
    /// A floor: one small file written and synced, on the machine.
    Sync,
    /// The evaluation of a fleet by `deploy`, in one process of Nix.
    FleetByOne,
    /// The same as it is divided once it is known how long that takes.
    FleetBySeveral,
    /// The evaluation of one machine of a tree with changes.
    TreeChanged,
    /// The same, of contents that were evaluated before.
    TreeChangedBack,
}

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// The case's name.
    pub case: String,
    /// What ran.
    pub side: Side,
    /// From its start to its end.
    pub seconds: f64,
    /// The number of connections to the machine's sshd.
    pub logins: u64,
    /// The peak memory of the program and its children while `nix copy` ran, or of an evaluation, in
    /// KiB, with shared pages counted proportionally; `None` if `nix copy` was never seen.
    pub peak_kib: Option<u64>,
    /// The parts that `deploy --timings` tells: when each began, and how long it took, in
    /// milliseconds. Empty for other programs.
    #[serde(default)]
    pub parts: Vec<Part>,
}

/// A part of a run of `deploy`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Part {
    /// Its name.
    pub part: String,
    /// The milliseconds from the start of the run to its start.
    pub from: u64,
    /// Its milliseconds.
    pub milliseconds: u64,
}

/// The parts in what `deploy --json --timings` prints.
///
/// # Errors
/// When a line is no JSON document.
pub fn parts(printed: &str) -> Result<Vec<Part>> {
    #[derive(Deserialize)]
    struct Document {
        event: String,
        #[serde(default)]
        parts: Vec<Part>,
    }
    let documents = printed.lines().map(serde_json::from_str);
    let documents = documents.collect::<Result<Vec<Document>, _>>()?;
    let timings = documents.into_iter().filter(|document| document.event == "timings");
    Ok(timings.flat_map(|document| document.parts).collect())
}

/// Appends a run to a file of runs.
///
/// # Errors
/// When it cannot be written.
pub fn keep(file: &Path, figure: &Figure) -> Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    Ok(writeln!(file, "{}", serde_json::to_string(figure)?)?)
}

/// All runs of a file.
///
/// # Errors
/// When it cannot be read.
pub fn read(file: &Path) -> Result<Vec<Figure>> {
    let text = fs::read_to_string(file)?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// The median; for an even number of values, the mean of the two in the middle.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(vec![]), None);
    }
}
