//! Units that look healthy when the switch ends.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::systems::{Fault, Lane};
use deploy_wire::outcome::End;
use serde_json::json;

use super::case::Case;
use super::lane::on_both_lanes;
use super::wanted::Wanted;
use crate::harness::Scenario;

pub const ALL: &[Scenario] =
    on_both_lanes!["a-unit-that-dies-six-seconds-after-its-start-is-rolled-back" => dies];

pub const BY_DESIGN: &[Scenario] = &[Scenario::new(
    "units-that-restart-by-design-are-kept-and-what-does-not-decide-is-reported",
    |lab| by_design(&Case::new(lab, Lane::StandIn)?),
)];

const PAUSE: Duration = Duration::from_secs(5);

fn dies(case: &Case) -> Result<()> {
    let dies = Fault::DyingUnit { life: Duration::from_secs(6), pause: PAUSE };
    let limits = json!({ "activation": 60, "check": 20, "rollback": 60 });
    case.wants(&Wanted::new(2).with(&dies).node("timeouts", limits))?;
    let said = case.deploy("frame1")?;
    said.ends(3, &["frame1 was rolled back", "state: back on generation 1"])?;
    let ends = "dying.service: it ended (exit-code) and waits to be restarted; it has until the \
                end of the checks";
    said.ends(3, &["frame1: switched", ends])?;
    case.recorded(
        End::RolledBack,
        "dying.service: it ended (exit-code), was restarted once and has not run for 10 s since, \
         after 20 s of checks",
    )?;
    // The watch is longer than the unit lives, so `deploy` must not ask for a login before the unit
    // dies.
    ensure!(!said.text.contains("waiting for a new login"), "{}", said.text);
    case.logged(&["Started dying.service", "dying.service: Main process exited, code=exited"])?;
    case.ends_on(&case.before)?;
    let long = Fault::DyingUnit { life: Duration::from_secs(100_000), pause: PAUSE };
    case.wants(&Wanted::new(3).with(&long))?;
    case.commits()
}

/// A service that fails three times, a second apart, and then runs.
const RETRIES: &str = "ExecStart=/bin/sh -c 'if [ -e /run/third ]; then exec sleep 100000; \
    elif [ -e /run/second ]; then touch /run/third; elif [ -e /run/first ]; then touch /run/second; \
    else touch /run/first; fi; exit 1'\nRestart=on-failure\nRestartSec=1";

fn by_design(case: &Case) -> Result<()> {
    let fails = "Type=oneshot\nExecStart=/bin/sh -c 'exit 3'";
    case.wants(
        &Wanted::new(2)
            .service("poller", "ExecStart=/bin/sh -c 'exit 0'\nRestart=always\nRestartSec=60")
            .service("quick", "ExecStart=/bin/sh -c 'sleep 1'\nRestart=always\nRestartSec=2")
            .service("retries", RETRIES)
            .service("acme-new.example.org", fails)
            .service("vpn-home", fails)
            .service("left-alone", fails)
            .node("units", json!({ "advisory": ["vpn-*"], "ignore": ["left-?lone.service"] })),
    )?;
    let said = case.deploy("frame1")?;
    said.ends(
        0,
        &[
            "frame1: committed",
            "acme-new.example.org.service: failed (exit-code); it does not decide",
            "vpn-home.service: failed (exit-code) (it does not decide)",
        ],
    )?;
    ensure!(!said.text.contains("left-alone.service:"), "{}", said.text);
    ensure!(!said.text.contains("poller.service:"), "{}", said.text);
    case.logged(&["retries.service: Scheduled restart job, restart counter is at 3"])?;
    case.ends_on(&case.wanted()?)
}
