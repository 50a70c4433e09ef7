//! The steps that run a program of a toplevel, each in a transient unit of its
//! own: what they print is told, how they end is written on /run.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::mpsc::{SyncSender, sync_channel},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use deploy_wire::{attempt::AttemptId, event::Event, record::Record, store_path::StorePath};
use serde::{Deserialize, Serialize};

use crate::{
    agent::Agent,
    arm, clock,
    events::{Events, folder},
    files,
    ledger::Ledger,
    tools::{
        pid1,
        switch_to_configuration::{self, PreSwitchChecks},
        systemd::Transient,
    },
};

/// Lines that may wait for a journal that does not take them.
const JOURNAL_LINES: usize = 4096;

/// Where an activation writes besides the store: users, the keys of sshd, state. NixOS renames
/// those files without waiting for the disk; after a power cut they could be empty, and then
/// no activation succeeds and nobody can log in:
/// `a-system-that-stops-sshd-is-rolled-back-on-real-nixos` proves it.
const WRITTEN: [&str; 4] = ["/", "/etc", "/var", "/var/lib/nixos"];

/// A step of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Step {
    /// `switch-to-configuration test` of the wanted system.
    Activate,
    /// `switch-to-configuration boot` of the wanted system.
    Commit,
    /// `switch-to-configuration boot` of what booted before.
    Uncommit,
    /// `switch-to-configuration test` of what ran.
    RollBack,
    /// `activate` of what ran: it needs no bus.
    Reactivate,
    /// `switch-to-configuration test` of what ran, after [`Step::Reactivate`].
    RollBackAgain,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Commit => "commit",
            Self::Uncommit => "uncommit",
            Self::RollBack => "roll-back",
            Self::Reactivate => "reactivate",
            Self::RollBackAgain => "roll-back-again",
        }
    }

    /// The toplevel, its program's arguments, and whether its checks decide.
    fn work(self, record: &Record) -> (&StorePath, &'static str, PreSwitchChecks) {
        let before = record.boots.known().unwrap_or(&record.ran);
        match self {
            Self::Activate => (&record.wanted, "test", PreSwitchChecks::Run),
            Self::Commit => (&record.wanted, "boot", PreSwitchChecks::Skip),
            Self::Uncommit => (before, "boot", PreSwitchChecks::Skip),
            Self::RollBack | Self::RollBackAgain => (&record.ran, "test", PreSwitchChecks::Skip),
            Self::Reactivate => (&record.ran, "", PreSwitchChecks::Skip),
        }
    }
}

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Its unit does not exist and it never began.
    NotBegun,
    /// Its unit lives.
    Runs,
    /// It ended.
    Ended(Ending),
    /// It began, and its unit is gone without a word.
    Vanished,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ending {
    /// Exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// When, in milliseconds of `CLOCK_BOOTTIME`.
    pub boottime_ms: u64,
}

/// The unit of a step.
pub fn unit(attempt: &AttemptId, step: Step) -> String {
    format!("deploy-switch-{attempt}-{}.service", step.name())
}

fn begun(attempt: &AttemptId, step: Step) -> PathBuf {
    folder(attempt).join(format!("{}.begun", step.name()))
}

fn ending(attempt: &AttemptId, step: Step) -> PathBuf {
    folder(attempt).join(format!("{}.status", step.name()))
}

/// How a step ended, if it did.
pub fn ended(attempt: &AttemptId, step: Step) -> Option<Ending> {
    serde_json::from_slice(&fs::read(ending(attempt, step)).ok()?).ok()
}

/// Where a step is.
pub fn progress(attempt: &AttemptId, step: Step) -> Result<Progress> {
    if let Some(ending) = ended(attempt, step) {
        return Ok(Progress::Ended(ending));
    }
    if pid1::lives(&unit(attempt, step))? {
        return Ok(Progress::Runs);
    }
    // It may have ended between the two looks.
    Ok(match ended(attempt, step) {
        Some(ending) => Progress::Ended(ending),
        None if begun(attempt, step).exists() => Progress::Vanished,
        None => Progress::NotBegun,
    })
}

/// Starts the unit of a step.
pub fn start(agent: &Agent, attempt: &AttemptId, step: Step) -> Result<()> {
    agent.systemd.start_transient(
        &Transient {
            unit: &unit(attempt, step),
            description: &format!("Deploy attempt {attempt}: {}", step.name()),
            properties: &arm::properties(),
            argv: &arm::command(&["switch", attempt.as_str(), step.name()])?,
        },
        &[],
    )
}

/// Kills a step with everything that it started, and waits until it is gone.
/// Says whether it is.
pub fn kill(agent: &Agent, attempt: &AttemptId, step: Step) -> Gone {
    let unit = unit(attempt, step);
    let end = clock::boottime() + Duration::from_secs(30);
    // It may end, and its unit vanish, between any two of these calls; what
    // counts is what the next look says.
    while pid1::lives(&unit).unwrap_or(true) {
        if clock::boottime() >= end {
            return Gone::No;
        }
        let _ = agent.systemd.kill(&unit);
        thread::sleep(Duration::from_millis(50));
    }
    Gone::Yes
}

/// Whether a unit that was killed is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// It is.
    Yes,
    /// A process of it does not end, as one that waits for a dead disk.
    No,
}

/// Runs a step: what the unit's process does. Whatever becomes of those who read
/// its output, it goes on.
pub fn run(attempt: &AttemptId, step: Step) -> Result<()> {
    let record = Ledger::open()
        .find(attempt)?
        .filter(Record::is_open)
        .ok_or_else(|| anyhow!("attempt {attempt} is not open"))?;
    fs::create_dir_all(folder(attempt))?;
    fs::File::create(begun(attempt, step)).context("the step cannot be marked as begun")?;
    let (toplevel, action, checks) = step.work(&record);
    let mut child = if action.is_empty() {
        switch_to_configuration::start(&format!("{toplevel}/activate"), &[], checks)?
    } else {
        switch_to_configuration::start(
            &switch_to_configuration::program(toplevel),
            &[action],
            checks,
        )?
    };
    let output = child.stdout.take();
    let events = Events::of(attempt);
    let told = events.clone();
    let reader = thread::spawn(move || {
        let journal = journal();
        let lines = output.into_iter().flat_map(|output| BufReader::new(output).split(b'\n'));
        for line in lines.map_while(Result::ok) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            told.tell(&Event::Line { text: text.clone() });
            // A journal that is stuck loses lines rather than holding the switch.
            let _ = journal.try_send(text);
        }
    });
    let status = child.wait().context("the switch cannot be waited for")?.code();
    // Something that it started may keep the pipe open for ever.
    let limit = clock::boottime() + Duration::from_secs(1);
    while !reader.is_finished() && clock::boottime() < limit {
        thread::sleep(Duration::from_millis(10));
    }
    let ended = Ending {
        status,
        boottime_ms: u64::try_from(clock::boottime().as_millis()).unwrap_or(u64::MAX),
    };
    if matches!(step, Step::Activate) {
        events.tell(&Event::Switched { status });
    }
    for problem in sync_written() {
        events.note(problem);
    }
    let path = ending(attempt, step);
    let temporary = path.with_extension("new");
    fs::write(&temporary, serde_json::to_vec(&ended)?)?;
    fs::rename(&temporary, &path)?;
    if status != Some(0) {
        bail!("{} ended with {}", step.name(), told_status(status));
    }
    Ok(())
}

/// Makes what a switch writes durable; what could not be is said.
pub fn sync_written() -> Vec<String> {
    let folders = WRITTEN.into_iter().filter(|folder| Path::new(folder).is_dir());
    let errors = folders.filter_map(|folder| files::sync_file_system(folder).err());
    errors.map(|error| format!("{error:#}; a power cut may undo parts of the switch")).collect()
}

/// A status in words.
pub fn told_status(status: Option<i32>) -> String {
    status.map_or("a signal".into(), |status| format!("status {status}"))
}

/// A thread that prints, since printing to a journal that is stuck blocks.
fn journal() -> SyncSender<String> {
    let (to, lines) = sync_channel::<String>(JOURNAL_LINES);
    thread::spawn(move || {
        for line in lines {
            let mut out = std::io::stdout();
            let _ = writeln!(out, "{line}").and_then(|()| out.flush());
        }
    });
    to
}
