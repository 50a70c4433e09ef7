//! The steps that run a program of a toplevel or a profile. Each step runs in its own transient
//! unit. Its output becomes events, and its exit status is written to /run.

use std::{
    fs::{self, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::Child,
    sync::mpsc::{SyncSender, sync_channel},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use deploy_wire::{
    attempt::AttemptId,
    event::Event,
    record::{ProfileChange, Record},
    store_path::StorePath,
};
use serde::{Deserialize, Serialize};

use crate::{
    attempt::{agent::Agent, arm, ledger::Ledger},
    clock,
    storage::{
        events::{self, Events, folder},
        files,
    },
    tools::{
        pid1,
        profile::Profile,
        switch_to_configuration::{self, PreSwitchChecks},
        systemd::Transient,
        user,
    },
};

/// The number of lines that may wait for a journal that is stuck.
const JOURNAL_LINES: usize = 4096;

/// Where an activation writes outside of the store: users, the host keys of sshd, state. NixOS
/// renames those files without syncing them. After a power cut they could be empty; then no
/// activation succeeds and nobody can log in:
/// `a-system-that-stops-sshd-is-rolled-back-on-real-nixos` proves it.
const WRITTEN: [&str; 4] = ["/", "/etc", "/var", "/var/lib/nixos"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `switch-to-configuration test` of the wanted system.
    Activate,
    /// `switch-to-configuration boot` of the wanted system.
    Commit,
    /// `switch-to-configuration boot` of the previous boot default.
    Uncommit,
    /// `switch-to-configuration test` of the previous system.
    RollBack,
    /// `activate` of the previous system, which needs no bus.
    Reactivate,
    /// `switch-to-configuration test` of the previous system, after [`Step::Reactivate`].
    RollBackAgain,
    /// The activation of a profile, by its index in the record.
    ActivateProfile(usize),
    /// The activation of what that profile's link named before.
    RestoreProfile(usize),
}

const OF_THE_SYSTEM: [Step; 6] = [
    Step::Activate,
    Step::Commit,
    Step::Uncommit,
    Step::RollBack,
    Step::Reactivate,
    Step::RollBackAgain,
];

impl Step {
    fn name(self) -> String {
        match self {
            Self::Activate => "activate".into(),
            Self::Commit => "commit".into(),
            Self::Uncommit => "uncommit".into(),
            Self::RollBack => "roll-back".into(),
            Self::Reactivate => "reactivate".into(),
            Self::RollBackAgain => "roll-back-again".into(),
            Self::ActivateProfile(index) => format!("profile-{index}"),
            Self::RestoreProfile(index) => format!("profile-back-{index}"),
        }
    }

    pub fn parse(name: &str) -> Result<Self> {
        if let Some(step) = OF_THE_SYSTEM.into_iter().find(|step| step.name() == name) {
            return Ok(step);
        }
        let (kind, index) = name.rsplit_once('-').unwrap_or((name, ""));
        match (kind, index.parse()) {
            ("profile", Ok(index)) => Ok(Self::ActivateProfile(index)),
            ("profile-back", Ok(index)) => Ok(Self::RestoreProfile(index)),
            _ => bail!("there is no step `{name}`"),
        }
    }

    /// Starts the step's program with its output in a pipe.
    fn start(self, record: &Record) -> Result<Child> {
        let before = record.boots.known().unwrap_or(&record.ran);
        match self {
            Self::Activate => switch(&record.wanted, "test", PreSwitchChecks::Run),
            Self::Commit => switch(&record.wanted, "boot", PreSwitchChecks::Skip),
            Self::Uncommit => switch(before, "boot", PreSwitchChecks::Skip),
            Self::RollBack | Self::RollBackAgain => {
                switch(&record.ran, "test", PreSwitchChecks::Skip)
            }
            Self::Reactivate => {
                let program = format!("{}/activate", record.ran);
                switch_to_configuration::start(&program, &[], PreSwitchChecks::Skip)
            }
            Self::ActivateProfile(index) => activate(record, index, |it| Some(&it.wanted)),
            Self::RestoreProfile(index) => activate(record, index, |it| it.before.path.as_ref()),
        }
    }
}

fn switch(toplevel: &StorePath, action: &str, checks: PreSwitchChecks) -> Result<Child> {
    let program = switch_to_configuration::program(toplevel);
    switch_to_configuration::start(&program, &[action], checks)
}

fn activate(
    record: &Record,
    index: usize,
    what: impl Fn(&ProfileChange) -> Option<&StorePath>,
) -> Result<Child> {
    let profile = record.profiles.get(index).context("the record has no such profile")?;
    let (path, link) = what(profile).zip(profile.link.as_deref()).context("it is nowhere")?;
    let user = user::find(&profile.user)?.context("the machine has no such user")?;
    Profile { user: &user, link }.activate(path)
}

/// The progress of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The step's unit does not exist, and the step never began.
    NotBegun,
    /// The step's unit is active.
    Runs,
    /// The step ended.
    Ended(Ending),
    /// The step began, and its unit disappeared without an exit status.
    Vanished,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ending {
    /// Exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// When it ended, in milliseconds of `CLOCK_BOOTTIME`.
    pub boottime_ms: u64,
}

/// The name of a step's unit.
pub fn unit(attempt: &AttemptId, step: Step) -> String {
    format!("deploy-switch-{attempt}-{}.service", step.name())
}

fn begun_file(attempt: &AttemptId, step: Step) -> PathBuf {
    folder(attempt).join(format!("{}.begun", step.name()))
}

fn ending_file(attempt: &AttemptId, step: Step) -> PathBuf {
    folder(attempt).join(format!("{}.status", step.name()))
}

/// How a step ended; `None` if it has not.
pub fn read_ending(attempt: &AttemptId, step: Step) -> Option<Ending> {
    serde_json::from_slice(&fs::read(ending_file(attempt, step)).ok()?).ok()
}

/// The progress of a step.
pub fn progress(attempt: &AttemptId, step: Step) -> Result<Progress> {
    if let Some(ending) = read_ending(attempt, step) {
        return Ok(Progress::Ended(ending));
    }
    if pid1::is_unit_alive(&unit(attempt, step))? {
        return Ok(Progress::Runs);
    }
    // The step may have ended between the two queries.
    Ok(match read_ending(attempt, step) {
        Some(ending) => Progress::Ended(ending),
        None if begun_file(attempt, step).exists() => Progress::Vanished,
        None => Progress::NotBegun,
    })
}

pub fn start(agent: &Agent, attempt: &AttemptId, step: Step) -> Result<()> {
    agent.systemd.start_transient(
        &Transient {
            unit: &unit(attempt, step),
            description: &format!("Deploy attempt {attempt}: {}", step.name()),
            properties: &arm::properties(),
            argv: &arm::command(&["switch", attempt.as_str(), &step.name()])?,
        },
        &[],
    )
}

/// Kills a step with all its processes and waits until they have ended.
pub fn kill(agent: &Agent, attempt: &AttemptId, step: Step) -> Killed {
    let unit = unit(attempt, step);
    let end = clock::boottime() + Duration::from_secs(30);
    // The step may end and its unit disappear between any two of these calls. Only the next query
    // counts.
    while pid1::is_unit_alive(&unit).unwrap_or(true) {
        if clock::boottime() >= end {
            return Killed::No;
        }
        let _ = agent.systemd.kill(&unit);
        thread::sleep(Duration::from_millis(50));
    }
    Killed::Yes
}

/// Whether a killed unit is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Killed {
    /// The unit is gone.
    Yes,
    /// A process of the unit does not end, for example because it waits for a dead disk.
    No,
}

/// Runs a step. This is the unit's process. It continues whatever happens to the readers of its
/// output.
pub fn run(attempt: &AttemptId, step: Step) -> Result<()> {
    let record = Ledger::open()
        .find(attempt)?
        .filter(Record::is_open)
        .ok_or_else(|| anyhow!("attempt {attempt} is not open"))?;
    events::make(&folder(attempt))?;
    files::create_private(OpenOptions::new().create(true).write(true), &begun_file(attempt, step))
        .context("the step cannot be marked as begun")?;
    let mut child = step.start(&record)?;
    let output = child.stdout.take();
    let events = Events::of(attempt);
    let told = events.clone();
    let reader = thread::spawn(move || {
        let journal = journal();
        let lines = output.into_iter().flat_map(|output| BufReader::new(output).split(b'\n'));
        for line in lines.map_while(Result::ok) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            told.tell(&Event::Line { text: text.clone() });
            // With a stuck journal, lose lines rather than delay the switch.
            let _ = journal.try_send(text);
        }
    });
    let status = child.wait().context("the switch cannot be waited for")?.code();
    // A process that the step started may keep the pipe open forever.
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
    let path = ending_file(attempt, step);
    let temporary = path.with_extension("new");
    let mut options = OpenOptions::new();
    files::create_private(options.create(true).truncate(true).write(true), &temporary)?
        .write_all(&serde_json::to_vec(&ended)?)?;
    fs::rename(&temporary, &path)?;
    if status != Some(0) {
        bail!("{} ended with {}", step.name(), crate::tools::process::told_status(status));
    }
    Ok(())
}

/// Syncs what a switch writes. Returns the problems.
pub fn sync_written() -> Vec<String> {
    let folders = WRITTEN.into_iter().filter(|folder| Path::new(folder).is_dir());
    let errors = folders.filter_map(|folder| files::sync_file_system(folder).err());
    errors.map(|error| format!("{error:#}; a power cut may undo parts of the switch")).collect()
}

/// Starts a thread that prints, because printing to a stuck journal blocks.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_read_by_its_name() {
        let profiles =
            [0, 12].map(|index| [Step::ActivateProfile(index), Step::RestoreProfile(index)]);
        for step in OF_THE_SYSTEM.into_iter().chain(profiles.into_iter().flatten()) {
            assert_eq!(Step::parse(&step.name()).unwrap(), step);
        }
        for name in ["", "profile", "profile-", "profile-back", "profile-x", "activate-1"] {
            assert!(Step::parse(name).is_err(), "{name}");
        }
    }
}
