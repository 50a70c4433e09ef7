//! Declared checks whose result changes.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use deploy_lab::hosts::Admission;
use deploy_lab::systems::Fault;
use deploy_wire::outcome::End;
use serde_json::json;

use super::case::Case;
use super::lane::on_both_lanes;
use super::wanted::Wanted;
use crate::harness::Scenario;
use crate::scene::end;

pub const ALL: &[Scenario] = on_both_lanes![
    "a-check-that-fails-after-it-passed-is-rolled-back" => turns,
    "a-check-that-needs-20-s-of-its-30-s-grace-is-kept" => late,
];

/// A system with an HTTP service and a check of it.
fn wanted(number: u32, after: Duration, answers: &[(u32, u16)], grace: u32) -> Wanted {
    let kind = json!({ "type": "http", "address": "127.0.0.1", "port": 8080 });
    let check = json!({ "name": "web", "service": "http", "grace": grace, "kind": kind });
    let http = Fault::Http { port: 8080, after, answers: answers.to_vec() };
    Wanted::new(number).with(&http).node("checks", json!([check]))
}

/// The service answers 200 until the machine waits for the confirmation, and 500 before it arrives.
fn turns(case: &Case) -> Result<()> {
    let wanted = |number, answers| {
        // A short watch, so that only the checks decide.
        wanted(number, Duration::ZERO, answers, 3).node("units", json!({ "watch": 1 }))
    };
    case.wants(&wanted(2, &[(10, 200), (0, 500)]))?;
    let running = case.begin_waiting()?;
    let said = end(running)?;
    let why = "check web fails: status 500, 200 is expected";
    said.ends(3, &["check web passes: status 200", why, "state: back on generation 1"])?;
    case.recorded(End::RolledBack, why)?;
    case.logged(&["answered 200", "answered 500"])?;
    case.frame1.admit(Admission::All)?;
    case.ends_on(&case.before)?;
    case.wants(&wanted(3, &[(0, 200)]))?;
    case.commits_after_waiting()
}

fn late(case: &Case) -> Result<()> {
    let after = Duration::from_secs(20);
    let wanted = |number, grace| wanted(number, after, &[(0, 200)], grace);
    // Without the grace it does not commit.
    case.wants(&wanted(2, 5))?;
    case.deploy("frame1")?.ends(3, &["frame1 was rolled back", "check web fails"])?;
    case.recorded(End::RolledBack, "check web fails: 127.0.0.1:8080")?;
    case.ends_on(&case.before)?;

    let system = case.wants(&wanted(3, 30))?;
    let begun = Instant::now();
    let said = case.deploy("frame1")?;
    ensure!(begun.elapsed() > after, "it came after {:?}", begun.elapsed());
    said.ends(0, &["check web fails", "check web passes", "frame1: committed"])?;
    case.recorded(End::Committed, "")?;
    case.ends_on(&system)
}
