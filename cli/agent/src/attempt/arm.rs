//! The two watchers of an attempt: a service that systemd restarts, and a timer on the uptime in
//! case the service is stuck.

use std::{fs, os::unix::fs::symlink, path::Path, time::Duration};

use anyhow::{Context, Result};
use deploy_wire::{
    attempt::AttemptId,
    phase::Phase,
    record::{Deadline, Record},
};

use crate::{
    attempt::agent::{Agent, program},
    clock,
    storage::{files, paths::VOLATILE},
    tools::{
        pid1::{self, Which},
        systemd::Transient,
    },
};

/// The name of the watching service.
pub fn service(attempt: &AttemptId) -> String {
    format!("deploy-agent-{attempt}.service")
}

fn armed(attempt: &AttemptId) -> Result<Vec<String>> {
    let timers = pid1::units(Which::Matching(&[&format!("deploy-rollback-{attempt}-*.timer")]))?;
    let armed = timers.into_iter().filter(|timer| pid1::is_alive(&timer.active));
    Ok(armed.map(|timer| timer.name).collect())
}

/// Properties of every unit of an attempt. Without the first, the unit cannot start in emergency
/// mode: `a-mount-that-fails-sends-the-machine-to-emergency-and-it-comes-back` proves it. Without
/// the second, `systemctl isolate` stops the unit:
/// `systemctl-isolate-while-it-waits-stops-neither-service-nor-timer` proves it.
pub fn properties() -> Vec<String> {
    [
        "DefaultDependencies=no",
        "IgnoreOnIsolate=yes",
        "CollectMode=inactive-or-failed",
        "KillMode=control-group",
        "OOMScoreAdjust=-900",
        "TimeoutStartSec=infinity",
        "TimeoutStopSec=5",
        "LogRateLimitIntervalSec=0",
        "SyslogIdentifier=deploy-agent",
    ]
    .map(Into::into)
    .to_vec()
}

/// Additional properties of the watching units, which restrict root to the rights that they need.
/// They start the switch by PID 1, which gives it all rights. No property may create a mount
/// namespace (`ProtectSystem=`, `PrivateTmp=`, …), because the agent must see and sync the
/// machine's own mounts. Checks run in these units, and may change users, open any socket and
/// trace. docs/agent-on-the-machine.md has the table;
/// `the-watching-service-has-no-more-rights-than-its-work-needs` reads the rights of a real one.
pub fn confined() -> Vec<String> {
    let mut properties = properties();
    properties.extend(
        [
            "CapabilityBoundingSet=~CAP_SYS_MODULE CAP_SYS_TIME CAP_MKNOD CAP_MAC_ADMIN \
             CAP_MAC_OVERRIDE CAP_SYS_PACCT CAP_SYS_TTY_CONFIG CAP_LEASE CAP_WAKE_ALARM \
             CAP_BLOCK_SUSPEND",
            "LockPersonality=yes",
            "RestrictRealtime=yes",
            "RestrictSUIDSGID=yes",
            "KeyringMode=private",
        ]
        .map(Into::into),
    );
    properties
}

/// Starts the watching service unless it runs.
pub fn start_service(agent: &Agent, attempt: &AttemptId) -> Result<()> {
    let unit = service(attempt);
    if pid1::is_unit_alive(&unit)? {
        return Ok(());
    }
    link_for_the_console()?;
    let mut properties = confined();
    // Restart: without it nobody watches until the deadline, and a good deploy rolls back:
    // `an-agent-killed-while-waiting-goes-back-at-the-same-deadline` proves it.
    // StartLimitIntervalSec: with the default, five kills within seconds stop the service for good:
    // `an-agent-killed-seven-times-in-a-row-goes-on` proves it. The service exits with status 0
    // only once the attempt has ended.
    properties
        .extend(["Restart=always", "RestartSec=100ms", "StartLimitIntervalSec=0"].map(Into::into));
    properties.push("RestartPreventExitStatus=0".into());
    agent.systemd.start_transient(
        &Transient {
            unit: &unit,
            description: &format!("Watches deploy attempt {attempt}"),
            properties: &properties,
            argv: &command(&["run", attempt.as_str()])?,
        },
        &[],
    )
}

/// The command line that starts this agent with `arguments`.
pub fn command(arguments: &[&str]) -> Result<Vec<String>> {
    let program = program()?.to_string_lossy().into_owned();
    Ok([program].into_iter().chain(arguments.iter().map(|word| (*word).to_owned())).collect())
}

/// Links `/run/deploy-agent/agent`, a path that a person can type at the console.
fn link_for_the_console() -> Result<()> {
    let link = Path::new(VOLATILE).join("agent");
    let temporary = link.with_extension("new");
    files::private_folder(Path::new(VOLATILE))?;
    let make = || -> std::io::Result<()> {
        let _ = fs::remove_file(&temporary);
        symlink(program().map_err(std::io::Error::other)?, &temporary)?;
        fs::rename(&temporary, &link)
    };
    make().with_context(|| format!("{} cannot be made", link.display()))
}

/// Arms the timer for the record's deadline. Only then does it remove the timers of earlier
/// deadlines, so that there is a timer at every moment. Without the timer, a service that hangs or
/// was stopped leaves an unconfirmed system running:
/// `a-watching-service-that-stands-still-or-is-gone-is-replaced-at-the-deadline` proves it.
pub fn arm(agent: &Agent, record: &Record) -> Result<()> {
    let Some(deadline) = record.deadline else { return Ok(()) };
    let name = format!("{}.timer", timer_name(record, deadline));
    let mut former = armed(&record.attempt)?;
    if !former.contains(&name) {
        start_timer(agent, record)?;
    }
    former.retain(|timer| *timer != name);
    pid1::stop(&former)
}

fn timer_name(record: &Record, deadline: Deadline) -> String {
    format!("deploy-rollback-{}-{}", record.attempt, deadline.boottime_ms)
}

/// Starts the timer for the record's deadline. No such timer may exist yet.
pub fn start_timer(agent: &Agent, record: &Record) -> Result<()> {
    let Some(deadline) = record.deadline else { return Ok(()) };
    let attempt = &record.attempt;
    let after = clock::left(deadline) + margin(record.phase);
    agent.systemd.start_transient(
        &Transient {
            unit: &format!("{}.service", timer_name(record, deadline)),
            description: &format!("Takes over deploy attempt {attempt} at its deadline"),
            properties: &confined(),
            argv: &command(&["expire", attempt.as_str()])?,
        },
        &at_uptime(after)?,
    )
}

/// How long after the deadline the timer fires. The service acts at the deadline itself, and a
/// commit or a rollback that makes progress gets the time to finish.
fn margin(phase: Phase) -> Duration {
    match phase {
        Phase::Committing | Phase::RollingBack | Phase::Rebooting => Duration::from_secs(120),
        _ => Duration::from_secs(5),
    }
}

/// Timer properties for a fixed moment. `OnActiveSec` would start over at each daemon-reload.
fn at_uptime(after: Duration) -> Result<Vec<String>> {
    let at = clock::monotonic() + after;
    // In a container systemd counts OnBootSec from its own start.
    let when = if Path::new("/run/systemd/container").exists() {
        let started = pid1::number("UserspaceTimestampMonotonic")?.unwrap_or_default();
        format!("OnStartupSec={}us", at.saturating_sub(Duration::from_micros(started)).as_micros())
    } else {
        format!("OnBootSec={}us", at.as_micros())
    };
    // The timer repeats until it is removed.
    let fixed = [
        "OnUnitInactiveSec=30s",
        "AccuracySec=100ms",
        "DefaultDependencies=no",
        "IgnoreOnIsolate=yes",
    ];
    Ok([when].into_iter().chain(fixed.map(Into::into)).collect())
}

/// Removes the timers of an attempt.
pub fn disarm(attempt: &AttemptId) -> Result<()> {
    pid1::stop(&armed(attempt)?)
}
