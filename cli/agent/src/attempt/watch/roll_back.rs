//! Going back to what ran: the switch and the units, then profile and loader.

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
    /// Goes back. What is done already is not done again.
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
            // A soft-reboot has ended a switch before it synced what it wrote, and none follows:
            // `table-soft-reboot-in-activate-on-real-nixos` proves it, where systemd starts
            // this service again before `deploy` asks.
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

    /// Whether a service has started that must not go back. The new system then runs on,
    /// confirmed or not; profile and loader name what is known to boot.
    fn must_stay(
        &self,
        record: &Record,
        before: Option<&Snapshot>,
        notes: &[String],
    ) -> Result<Option<Happened>> {
        if !look::is_running(&record.wanted) || record.wanted == record.ran {
            return Ok(None);
        }
        // Where systemd does not answer, this is tried again: to go back cannot be undone.
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

    /// Switching did not lead back. Profile and loader are set back all the same: the last
    /// rung, or whoever switches the machine off and on, boots what they name.
    fn gave_up(&self, record: &Record, why: String, mut notes: Vec<String>) -> Happened {
        if let Err(error) = self.uncommit(record) {
            notes.push(format!("{error:#}"));
        }
        notes.extend(profiles::describe_not_taken_back(record));
        match AttemptState::of(record).last_rung {
            LastRung::Gone => notes.push(next_by_itself(record)),
            // The reboot has its own words, and an end of its own.
            LastRung::Reboot => notes.iter().for_each(|note| self.events.note(note)),
        }
        Happened { event: Event::NotWentBack, why: Some(why), notes }
    }

    /// What the killed switch asked PID 1 for goes on without it.
    fn cancel_jobs(&self, before: &Snapshot) {
        let systemd = &self.agent.systemd;
        let jobs = pid1::jobs().unwrap_or_default();
        let young = jobs.into_iter().filter(|job| !before.jobs.contains(&job.id));
        let young: Vec<u64> =
            young.filter(|job| !job.unit.starts_with("deploy-")).map(|job| job.id).collect();
        // One that ended in between makes the whole call fail; the others went.
        let _ = systemd.cancel(&young);
    }

    /// Undoes what a commit did to profile and loader, if it did.
    fn uncommit(&self, record: &Record) -> Result<()> {
        self.restore_profile(record)?;
        // It was not there at `stage`, so this commit left it, even where the loader is as before.
        boot_files::remove_left_over()?;
        let begun = switch::progress(self.attempt, Step::Commit)?;
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
