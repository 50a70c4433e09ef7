//! The rollback: first the system and its units, then the profile and the boot loader.

use anyhow::{Result, bail};
use deploy_wire::{attempt::Mode, outcome::BootDefault, record::Record};

use super::{
    Watch,
    activate::foreign,
    no_way_back,
    reboot::{next_by_itself, reason},
    switch_back::{repair_lists, wait_for_the_lock},
};
use crate::{
    attempt::{
        ledger::Happened,
        running::{self, Started},
        switch::{self, Killed, Step},
        transition::{AttemptState, Event, LastRung, RunningSystem},
    },
    machine::{
        boot_files, look, profiles,
        units::snapshot::{self, Snapshot},
    },
    storage::paths::SWITCH_LISTS,
    tools::pid1,
};

impl Watch<'_> {
    /// Rolls back. Finished parts are not repeated.
    pub fn roll_back(&mut self, record: &Record) -> Result<Happened> {
        let mut notes = Vec::new();
        for step in [Step::Activate, Step::Commit] {
            if switch::kill(self.agent, self.attempt, step) == Killed::No {
                notes.push("the switch does not end".to_owned());
            }
        }
        let snapshot = Snapshot::read(&self.agent.ledger.snapshot_path()).unwrap_or_else(|error| {
            notes.push(format!("the units that ran before are not known: {error:#}"));
            None
        });
        let snapshot = snapshot.filter(|snapshot| snapshot.boot == self.agent.boot);
        if record.profiles_alone {
            notes.extend(self.point_back(record));
            return Ok(self.take_profiles_back(record, snapshot.as_ref(), notes));
        }
        let started = if snapshot.is_some() { Started::Before } else { Started::Anew };
        if running::runs_for(record, started) == RunningSystem::Other {
            return Ok(foreign("another tool switched the machine before it could go back"));
        }
        if look::profile_is_foreign(record) {
            return Ok(foreign("another tool set the system profile before it could go back"));
        }
        if let Some(stays) = self.must_stay(record, snapshot.as_ref(), &notes)? {
            return Ok(stays);
        }
        notes.extend(self.point_back(record));
        let fresh =
            snapshot.is_none() && running::runs_for(record, started) == RunningSystem::Before;
        if fresh {
            // A soft-reboot may have killed a switch before it synced its files, and no further
            // switch follows: `table-soft-reboot-in-activate-on-real-nixos` proves it, in the case
            // that systemd starts this service again before `deploy` asks.
            notes.extend(switch::sync_written());
        }
        if record.mode != Mode::Boot && !fresh {
            if let Some(snapshot) = &snapshot {
                self.cancel_jobs(snapshot);
            }
            wait_for_the_lock();
            if let Err(error) = repair_lists(record) {
                notes.push(format!("{SWITCH_LISTS}: {error:#}"));
            }
            match self.switch_back(record, snapshot.as_ref())? {
                Ok(units) => notes.extend(units),
                Err(why) => return Ok(self.gave_up(record, why, notes)),
            }
        }
        // `table-other-tool-switches-in-roll-back` proves it.
        if look::profile_is_foreign(record) {
            return Ok(foreign("another tool set the system profile while it went back"));
        }
        let uncommitted = self.uncommit(record);
        let back = self.take_profiles_back(record, snapshot.as_ref(), notes);
        let Err(error) = uncommitted else { return Ok(back) };
        let mut notes = back.notes;
        notes.push(format!("{error:#}"));
        notes.push(next_by_itself(record));
        let why = format!(
            "{}; the previous system runs again, but the boot default could not be set back",
            back.why.as_deref().unwrap_or(reason(record))
        );
        Ok(Happened { event: Event::NotSetBack, why: Some(why), notes })
    }

    /// Whether a service that must not go back has started. The new system then keeps running,
    /// confirmed or not, while the profile and the boot loader name a system that is known to boot.
    fn must_stay(
        &self,
        record: &Record,
        before: Option<&Snapshot>,
        notes: &[String],
    ) -> Result<Option<Happened>> {
        if !look::is_running(&record.wanted) || record.wanted == record.ran {
            return Ok(None);
        }
        // If systemd does not answer, the rollback is tried again later, because going back cannot
        // be undone.
        let now = snapshot::now()?;
        let before = before.map(|before| &before.units);
        let Some((service, unit)) = no_way_back::started(&record.rules, before, &now) else {
            return Ok(None);
        };
        let mut notes = notes.to_vec();
        if let Err(error) = self.uncommit(record) {
            notes.push(format!("{error:#}"));
        }
        notes.extend(self.point_back(record));
        notes.extend(profiles::describe_not_taken_back(record));
        let generation = record.profile.generation;
        let back = generation.map(|number| format!(", deploy rollback --to {number} goes back"));
        notes.push(format!(
            "deploy tries again to keep it{}; switched off and on, it boots {}",
            back.unwrap_or_default(),
            look::boots()
        ));
        let why = format!(
            "{}; it was not switched back: {unit} has started under the new system, and {service} \
             must not go back (rollback.services.{service} is unsafe)",
            reason(record)
        );
        Ok(Some(Happened { event: Event::MustNotGoBack, why: Some(why), notes }))
    }

    /// Switching back failed. The profile and the boot loader are set back nevertheless, because a
    /// reboot or a power cycle boots what they name.
    fn gave_up(&self, record: &Record, why: String, mut notes: Vec<String>) -> Happened {
        if let Err(error) = self.uncommit(record) {
            notes.push(format!("{error:#}"));
        }
        notes.extend(profiles::describe_not_taken_back(record));
        match AttemptState::of(record).last_rung {
            LastRung::Gone => notes.push(next_by_itself(record)),
            // The reboot produces its own reason and its own end.
            LastRung::Reboot => notes.iter().for_each(|note| self.events.note(note)),
        }
        Happened { event: Event::NotWentBack, why: Some(why), notes }
    }

    /// Cancels jobs that the killed switch queued; PID 1 would run them without it.
    fn cancel_jobs(&self, before: &Snapshot) {
        let systemd = &self.agent.systemd;
        let jobs = pid1::jobs().unwrap_or_default();
        let young = jobs.into_iter().filter(|job| !before.jobs.contains(&job.id));
        let young: Vec<u64> =
            young.filter(|job| !job.unit.starts_with("deploy-")).map(|job| job.id).collect();
        // If one of the jobs has already ended, the whole call fails, but the others are cancelled.
        let _ = systemd.cancel(&young);
    }

    /// Undoes a commit's changes to the profile and the boot loader, if there are any.
    fn uncommit(&self, record: &Record) -> Result<()> {
        self.restore_profile(record)?;
        // The file did not exist at `stage`, so this commit left it, even if the loader is
        // unchanged.
        boot_files::remove_left_over()?;
        let begun = switch::progress(self.attempt, Step::Commit)?;
        let moved = match (&record.boots, look::boots()) {
            (BootDefault::Known(before), BootDefault::Known(now)) => *before != now,
            // If the loader cannot be read, write it again whenever the commit wrote it.
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
