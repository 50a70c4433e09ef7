//! Going back to what ran: profile and loader, the switch, the units.

use std::{fs, path::Path, thread, time::Duration};

use anyhow::{Result, bail};
use deploy_wire::{message::Mode, outcome::BootDefault, record::Record};

use super::{TICK, Watch, activate::foreign, steps::Waited};
use crate::{
    boot_files, clock,
    ledger::Happened,
    look::{self, Started},
    paths::SWITCH_LISTS,
    switch::{self, Gone, Step},
    tools::switch_to_configuration,
    transition::{Event, Runs},
    units::{
        definition::brings,
        restore::difference,
        snapshot::{self, Snapshot},
    },
};

/// How long another switch may hold the lock.
const LOCK_LIMIT: Duration = Duration::from_secs(60);
const BUS: &str = "/run/dbus/system_bus_socket";

impl Watch<'_> {
    /// Goes back. What is done already is not done again.
    pub fn roll_back(&mut self, record: &Record) -> Result<Happened> {
        let mut notes = Vec::new();
        for step in [Step::Activate, Step::Commit] {
            if switch::kill(self.agent, self.attempt, step) == Gone::No {
                notes.push("what was switching does not end".to_owned());
            }
        }
        let snapshot = Snapshot::read(&self.agent.ledger.snapshot_path()).unwrap_or_else(|error| {
            notes.push(format!("the units of before are not known: {error:#}"));
            None
        });
        let snapshot = snapshot.filter(|snapshot| snapshot.boot == self.agent.boot);
        let started = if snapshot.is_some() { Started::Before } else { Started::Anew };
        if look::runs_for(record, started) == Runs::Other {
            return Ok(foreign("another tool switched the machine before it could go back"));
        }
        if look::profile_is_foreign(record) {
            return Ok(foreign("another tool set the system profile before it could go back"));
        }
        let fresh = snapshot.is_none() && look::runs_for(record, started) == Runs::Before;
        if record.mode != Mode::Boot && !fresh {
            if let Some(snapshot) = &snapshot {
                self.cancel_jobs(snapshot);
            }
            wait_for_the_lock();
            if let Err(error) = repair_lists(record) {
                notes.push(format!("{SWITCH_LISTS}: {error:#}"));
            }
            if let Err(why) = self.switch_back(record)? {
                return Ok(Happened { event: Event::NotWentBack, why: Some(why), notes });
            }
            if let Some(snapshot) = &snapshot {
                notes.extend(self.restore_units(snapshot).unwrap_or_else(|error| {
                    vec![format!("the units of before could not be compared: {error:#}")]
                }));
            }
        }
        // `table-other-tool-switches-in-roll-back` proves it.
        if look::profile_is_foreign(record) {
            return Ok(foreign("another tool set the system profile while it went back"));
        }
        if let Err(error) = self.uncommit(record) {
            notes.push(format!("{error:#}"));
            let why = format!(
                "{}; what ran runs again, but the boot default could not be set back",
                record.why.as_deref().unwrap_or("it went back")
            );
            return Ok(Happened { event: Event::NotWentBack, why: Some(why), notes });
        }
        Ok(Happened { event: Event::WentBack, why: None, notes })
    }

    /// What the killed switch asked PID 1 for goes on without it.
    fn cancel_jobs(&self, before: &Snapshot) {
        let systemd = &self.agent.systemd;
        let jobs = systemd.jobs().unwrap_or_default();
        let young = jobs.into_iter().filter(|job| !before.jobs.contains(&job.id));
        let young: Vec<u64> =
            young.filter(|job| !job.unit.starts_with("deploy-")).map(|job| job.id).collect();
        // One that ended in between makes the whole call fail; the others went.
        let _ = systemd.cancel(&young);
    }

    /// The ladder's first two rungs. The inner error says why none held.
    fn switch_back(&self, record: &Record) -> Result<Result<(), String>> {
        let limit = record.rules.timeouts.rollback();
        if self.is_sane() {
            let waited = self.wait_for(Step::RollBack, limit, || Ok(true))?;
            if went_back(waited, record) && self.is_sane() {
                return Ok(Ok(()));
            }
            self.events.note(format!("the way back: {}", waited.told()));
            switch::kill(self.agent, self.attempt, Step::RollBack);
        }
        // Without a bus `switch-to-configuration` cannot run: `activate` can.
        self.events.note("activating what ran before without the system bus");
        let waited = self.wait_for(Step::Reactivate, limit, || Ok(true))?;
        let first = format!("activating what ran before: {}", waited.told());
        let systemd = &self.agent.systemd;
        // Whether they helped, the switch that follows shows.
        for arguments in
            [["daemon-reload"].as_slice(), &["reset-failed"], &["start", "default.target"]]
        {
            if let Err(error) = systemd.must(arguments, limit) {
                self.events.note(format!("{error:#}"));
            }
        }
        let waited = self.wait_for(Step::RollBackAgain, limit, || Ok(true))?;
        if went_back(waited, record) {
            return Ok(Ok(()));
        }
        let why = record.why.as_deref().unwrap_or("the attempt was given up");
        Ok(Err(format!("{why}; {first}; the switch back: {}", waited.told())))
    }

    /// Whether the system bus is there and the machine is not in emergency mode.
    fn is_sane(&self) -> bool {
        let emergency = ["emergency.target", "rescue.target"]
            .iter()
            .any(|unit| self.agent.systemd.lives(unit).unwrap_or(false));
        !emergency && std::os::unix::net::UnixStream::connect(BUS).is_ok()
    }

    /// Starts what ran and stops what the admin had stopped; the switch alone
    /// does neither. What could not be done comes back as notes.
    fn restore_units(&self, before: &Snapshot) -> Result<Vec<String>> {
        let systemd = &self.agent.systemd;
        let limit = Duration::from_secs(90);
        let missing = difference(&before.units, &snapshot::now(systemd)?);
        let mut reset = vec!["reset-failed"];
        reset.extend(missing.to_start.iter().map(String::as_str));
        if reset.len() > 1 {
            // It fails for units that are not loaded, which need no reset.
            let _ = systemd.must(&reset, limit);
        }
        let existing: Vec<String> =
            missing.to_start.into_iter().filter(|unit| self.is_loadable(unit)).collect();
        // Each that fails is found below by name.
        let _ = systemd.start(&existing, limit);
        let _ = systemd.stop(&missing.to_stop, limit);
        let left = difference(&before.units, &snapshot::now(systemd)?);
        let not_started = left.to_start.iter().filter(|unit| self.is_loadable(unit));
        let notes = not_started
            .map(|unit| format!("{unit} ran before and could not be started again"))
            .chain(left.to_stop.iter().map(|unit| format!("{unit} was stopped before and runs")));
        Ok(notes.collect())
    }

    fn is_loadable(&self, unit: &str) -> bool {
        self.agent.systemd.show(Some(unit), "LoadState").is_ok_and(|state| state == "loaded")
    }

    /// Undoes what a commit did to profile and loader, if it did.
    fn uncommit(&self, record: &Record) -> Result<()> {
        self.restore_profile(record)?;
        let begun = switch::progress(self.agent, self.attempt, Step::Commit)?;
        let moved = match (&record.boots, look::boots()) {
            (BootDefault::Known(before), BootDefault::Known(now)) => *before != now,
            // Not readable: the loader is written again if the commit wrote it.
            _ => begun != switch::Progress::NotBegun,
        };
        if !moved {
            return Ok(());
        }
        boot_files::remove_damaged(record.boots.known().unwrap_or(&record.ran))?;
        let limit = record.rules.timeouts.rollback();
        let waited = self.wait_for(Step::Uncommit, limit, || Ok(true))?;
        if !waited.succeeded() {
            bail!("the boot loader could not be set back: {}", waited.told());
        }
        match (&record.boots, look::boots()) {
            (BootDefault::Known(before), now) if now.known() != Some(before) => {
                bail!("the boot loader was set back, but it boots {now}")
            }
            _ => Ok(()),
        }
    }
}

/// Statuses 2 and 4 speak of snippets and units of a system that ran like that.
fn went_back(waited: Waited, record: &Record) -> bool {
    let Waited::Ended(ending) = waited else { return false };
    matches!(ending.status, Some(0 | 2 | 4)) && look::runs(&record.ran)
}

fn wait_for_the_lock() {
    let end = clock::boottime() + LOCK_LIMIT;
    while switch_to_configuration::runs_now() && clock::boottime() < end {
        thread::sleep(TICK);
    }
}

/// An interrupted switch leaves lists of units for the next one. Those that what
/// ran does not have would make it fail; the others must be started again.
fn repair_lists(record: &Record) -> Result<()> {
    for name in ["start-list", "restart-list", "reload-list"] {
        let path = Path::new(SWITCH_LISTS).join(name);
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let kept: Vec<&str> = text.lines().filter(|unit| brings(&record.ran, unit)).collect();
        if kept.is_empty() {
            fs::remove_file(&path)?;
        } else {
            fs::write(&path, kept.join("\n") + "\n")?;
        }
    }
    Ok(())
}
