//! Running a program on the operator's machine and measuring it.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::figure::{Figure, Side, parts};
use crate::hosts::relay::Relay;
use crate::hosts::{Host, Running};

/// How often the program's processes are sampled.
const PERIOD: Duration = Duration::from_millis(10);
/// How long one run may take.
const LIMIT: Duration = Duration::from_secs(900);

/// Runs a command line on `operator` whose connections go through `relay`.
///
/// # Errors
/// When it does not end with 0.
pub fn measured(
    operator: &Host,
    relay: &Relay,
    case: &str,
    side: Side,
    line: &str,
) -> Result<Figure> {
    let logins = relay.connections();
    let begun = Instant::now();
    let mut running = operator.command(["sh", "-c", line]).spawn()?;
    let mut peak_kib = None;
    while running.is_running()? {
        ensure!(begun.elapsed() < LIMIT, "`{line}` did not end within {LIMIT:?}");
        peak_kib = peak_kib.max(memory_of_a_push(&running));
        thread::sleep(PERIOD);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let printed = running.wait(PERIOD)?.success()?.stdout;
    let parts = if side == Side::Deploy { parts(&printed)? } else { Vec::new() };
    let logins = relay.connections() - logins;
    Ok(Figure { case: case.to_owned(), side, seconds, logins, peak_kib, parts })
}

/// Runs a command line on `operator`; returns what it printed, and the peak memory of its processes
/// in KiB.
///
/// # Errors
/// When it does not end with 0.
pub fn sampled(operator: &Host, line: &str) -> Result<(String, Option<u64>)> {
    let begun = Instant::now();
    let mut running = operator.command(["sh", "-c", line]).spawn()?;
    let mut peak_kib = None;
    while running.is_running()? {
        ensure!(begun.elapsed() < LIMIT, "`{line}` did not end within {LIMIT:?}");
        peak_kib = peak_kib.max(running.processes().ok().map(|processes| memory(&processes)));
        thread::sleep(PERIOD);
    }
    Ok((running.wait(PERIOD)?.success()?.stdout, peak_kib))
}

/// The memory of all processes of the command while one of them is `nix copy`.
fn memory_of_a_push(running: &Running) -> Option<u64> {
    let processes = running.processes().ok()?;
    processes.iter().any(|id| copies(*id)).then(|| memory(&processes))
}

/// A process that has just ended counts as zero.
fn memory(processes: &[u32]) -> u64 {
    processes.iter().filter_map(|id| held_kib(*id)).sum()
}

fn copies(id: u32) -> bool {
    let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let mut words = line.split(|byte| *byte == 0);
    let program = words.next().unwrap_or_default();
    program.ends_with(b"nix") && words.any(|word| word == b"copy")
}

fn held_kib(id: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
