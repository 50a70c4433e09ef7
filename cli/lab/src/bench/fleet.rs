//! The evaluation of a fleet of real NixOS systems, by one process of Nix and by several; and a
//! change that is taken back.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::figure::{Figure, Side, keep};
use super::run::sampled;
use crate::hosts::programs::{self, DEPLOY};
use crate::hosts::{Host, Lab};
use crate::systems::{FOLDER, Module, REAL, RealFleet};

/// How often each side is measured.
const TURNS: u32 = 3;

/// Evaluates `machines` systems on an operator's computer, alternating, and appends the figures to
/// `file`.
///
/// # Errors
/// When a program fails.
pub fn evaluate(lab: &mut Lab, case: &'static str, machines: u32, file: &Path) -> Result<()> {
    let mac = lab.prepared(&REAL, "mac")?;
    mac.boot()?;
    mac.wait_until_up()?;
    programs::install(&mac)?;
    let names: Vec<String> = (1..=machines).map(|number| format!("m{number}")).collect();
    let fleet = |number| {
        names
            .iter()
            .fold(RealFleet::default(), |fleet, name| fleet.machine(name, Module::new(number)))
    };
    let words = names.join(" ");
    // `deploy` knows how long the last evaluation took, unless that is forgotten.
    fleet(1).write(&mac)?;
    measured(&mac, case, Side::FleetByOne, &words)?;
    for turn in 0..TURNS {
        let mut sides = [Side::FleetByOne, Side::FleetBySeveral];
        sides.rotate_left(turn as usize % 2);
        for (number, side) in (2 * turn + 2..).zip(sides) {
            fleet(number).write(&mac)?;
            keep(file, &measured(&mac, case, side, &words)?)?;
        }
    }
    // A tree with changes, and the one before it again.
    let edit = |line: &str| {
        mac.sh(&format!(
            "cd {FOLDER}; git checkout --quiet flake.nix; echo '# {line}' >> flake.nix"
        ))
    };
    for turn in 0..TURNS {
        edit(&format!("{turn}"))?;
        keep(file, &measured(&mac, case, Side::TreeChanged, "m1")?)?;
        edit("other")?;
        measured(&mac, case, Side::TreeChanged, "m1")?;
        edit(&format!("{turn}"))?;
        keep(file, &measured(&mac, case, Side::TreeChangedBack, "m1")?)?;
    }
    Ok(())
}

/// The evaluation of a `deploy plan`, whose machines do not exist.
fn measured(mac: &Host, case: &str, side: Side, words: &str) -> Result<Figure> {
    #[derive(Deserialize)]
    struct Document {
        event: String,
        milliseconds: Option<u64>,
    }
    let forgotten = "rm -rf /root/.cache/deploy/evaluation-times;";
    let forgotten = if side == Side::FleetByOne { forgotten } else { "" };
    let line = format!("cd {FOLDER}; {forgotten} {DEPLOY} plan --json {words} || true");
    let (printed, peak_kib) = sampled(mac, &line)?;
    let documents = printed.lines().map(serde_json::from_str);
    let documents = documents.collect::<Result<Vec<Document>, _>>()?;
    let evaluated = documents.into_iter().find(|document| document.event == "evaluated");
    let took = evaluated.and_then(|document| document.milliseconds);
    let took = took.with_context(|| format!("nothing was evaluated:\n{printed}"))?;
    let seconds = took as f64 / 1000.0;
    eprintln!("{case}: {side:?} {seconds:.2} s, {} MiB", peak_kib.unwrap_or_default() >> 10);
    Ok(Figure { case: case.to_owned(), side, seconds, logins: 0, peak_kib, parts: Vec::new() })
}
