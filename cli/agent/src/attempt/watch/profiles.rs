//! Profiles besides the system. They are activated after it and rolled back with it.

use std::path::Path;

use anyhow::{Context, Result, bail};
use deploy_wire::record::{ProfileChange, Record};

use super::{Watch, reboot::reason};
use crate::{
    attempt::{
        ledger::Happened,
        switch::{self, Killed, Progress, Step},
        transition::Event,
    },
    clock,
    machine::{profiles, units::snapshot::Snapshot},
    storage::files,
    tools::{
        profile::{self, Profile},
        user,
    },
};

use super::steps::Waited;

impl Watch<'_> {
    /// Activates the profiles in order. `None` if another process moved the attempt.
    pub(super) fn activate_profiles(&self, record: &Record) -> Result<Option<Happened>> {
        for (index, profile) in record.profiles.iter().enumerate() {
            let step = Step::ActivateProfile(index);
            if switch::progress(self.attempt, step)? == Progress::NotBegun {
                self.events.note(format!("activating {profile}"));
                self.point(profile, index).with_context(|| profile.to_string())?;
            }
            let limit = record.deadline.map(clock::left).unwrap_or_default();
            let why = match self.wait_for(step, limit, || self.is_unmoved(record))? {
                Waited::Moved => return Ok(None),
                waited if waited.succeeded() => continue,
                Waited::TooLong => {
                    let limit = record.rules.timeouts.activation;
                    let why = format!("{profile}: its activation did not end within {limit} s");
                    return Ok(Some(Happened::because(Event::DeadlinePassed, why)));
                }
                waited => format!("{profile}: its activation failed: {}", waited.told()),
            };
            return Ok(Some(Happened::because(Event::SwitchFailed, why)));
        }
        Ok(Some(Event::Switched.into()))
    }

    /// Points a profile's link to the wanted path, after the record says that the link may be
    /// touched: `a-power-cut-while-waiting-sets-a-profile-back` proves it.
    fn point(&self, profile: &ProfileChange, index: usize) -> Result<()> {
        let user = user::find(&profile.user)?.context("the machine has no such user")?;
        let link = match &profile.link {
            Some(link) => link.clone(),
            None => profiles::default_link(&profile.name, &user),
        };
        let now = profiles::look(&link);
        let is_new = profile.link.is_none();
        if !is_new && now != profile.before && now.path.as_ref() != Some(&profile.wanted) {
            bail!("somebody else set it");
        }
        self.remember(index, |profile| {
            profile.begun = true;
            profile.link = Some(link.clone());
            if is_new {
                profile.before = now.clone();
            }
        })?;
        if now.path.as_ref() != Some(&profile.wanted) {
            Profile { user: &user, link: &link }.set(&profile.wanted)?;
        }
        let set = profiles::look(&link);
        if set.path.as_ref() != Some(&profile.wanted) {
            bail!("{link} does not name {} after nix-env --set", profile.wanted);
        }
        if set.number != now.number {
            self.remember(index, |profile| profile.made_generation = set.number)?;
        }
        sync(&link)
    }

    fn remember(&self, index: usize, change: impl FnOnce(&mut ProfileChange)) -> Result<()> {
        let changed = self.agent.ledger.remember(self.attempt, |record| {
            if let Some(profile) = record.profiles.get_mut(index) {
                change(profile);
            }
        });
        changed.map(drop)
    }

    /// Kills running activations and points the links back. This comes before the system's
    /// rollback, so that the services that it starts find their previous programs.
    /// [`Watch::take_profiles_back`] repeats what fails here.
    pub(super) fn point_back(&self, record: &Record) -> Vec<String> {
        let mut notes = Vec::new();
        for (index, profile) in begun(record) {
            if switch::kill(self.agent, self.attempt, Step::ActivateProfile(index)) == Killed::No {
                notes.push(format!("the activation of {profile} does not end"));
            }
            if let Err(error) = set_back(profile) {
                self.events.note(format!("{profile} cannot be set back yet: {error:#}"));
            }
        }
        notes
    }

    /// Completes the rollback of the profiles: points the links back, activates what they named
    /// before, and restarts units that the activations stopped.
    pub(super) fn take_profiles_back(
        &self,
        record: &Record,
        before: Option<&Snapshot>,
        mut notes: Vec<String>,
    ) -> Happened {
        let mut problems = Vec::new();
        let count = u32::try_from(record.profiles.len()).unwrap_or(u32::MAX);
        let limit = record.rules.timeouts.rollback() / count.max(1);
        for (index, profile) in begun(record) {
            let back = set_back(profile).and_then(|()| {
                let Some(what) = activated_before(profile) else {
                    return Ok(Some(explain_not_activated(profile)));
                };
                self.events.note(format!("activating {profile} again as it was before"));
                let waited = self.wait_for(Step::RestoreProfile(index), limit, || Ok(true))?;
                if waited.succeeded() {
                    return Ok(None);
                }
                bail!("activating {what} again failed: {}", waited.told())
            });
            match back {
                Ok(None) => notes.push(format!("{profile} is back on {}", name_before(profile))),
                Ok(Some(note)) => notes.push(note),
                Err(error) => problems.push(format!("{profile}: {error:#}")),
            }
        }
        if begun(record).next().is_some() {
            notes.extend(self.restore(before));
        }
        if problems.is_empty() {
            return Happened { event: Event::WentBack, why: None, notes };
        }
        let what = if record.profiles_alone {
            "the system stayed"
        } else {
            "the previous system runs again"
        };
        let why = format!(
            "{}; {what}, but not all profiles are back: {}",
            reason(record),
            problems.join("; ")
        );
        Happened { event: Event::NotSetBack, why: Some(why), notes }
    }
}

/// The profiles that may have been touched, last first.
fn begun(record: &Record) -> impl Iterator<Item = (usize, &ProfileChange)> {
    record.profiles.iter().enumerate().rev().filter(|(_, profile)| profile.begun)
}

/// Points a link back and deletes the generation that the attempt made. If the link names neither
/// path, somebody else has changed it, and it stays.
fn set_back(profile: &ProfileChange) -> Result<()> {
    let Some(link) = &profile.link else { return Ok(()) };
    let now = profiles::look(link);
    if now.path == profile.before.path || now.path.as_ref() != Some(&profile.wanted) {
        return Ok(());
    }
    let user = user::find(&profile.user)?.context("its user is gone")?;
    let owned = Profile { user: &user, link };
    let made = profile.made_generation.or(now.number);
    match (profile.before.number, &profile.before.path) {
        (None, None) => owned.remove(made)?,
        (Some(number), _) => {
            owned.switch_to(number)?;
            if let Some(made) = made {
                owned.delete(made)?;
            }
        }
        (None, Some(path)) => owned.set(path)?,
    }
    if !profiles::is_as_before(profile) {
        bail!("{link} does not name what it named before");
    }
    sync(link)
}

/// The previous activation script, if it can be run again.
fn activated_before(profile: &ProfileChange) -> Option<String> {
    let before = profile.before.path.as_ref().filter(|before| **before != profile.wanted)?;
    let is_there = Path::new(&profile::script(before)).exists();
    (is_there && profiles::is_as_before(profile)).then(|| name_before(profile))
}

fn explain_not_activated(profile: &ProfileChange) -> String {
    if !profiles::is_as_before(profile) {
        return format!("{profile} was set by somebody else meanwhile, and stays");
    }
    match &profile.before.path {
        None => format!("{profile} is new: what its activation did is not undone"),
        Some(before) if *before == profile.wanted => {
            format!("{profile} names what it named before")
        }
        Some(_) => {
            format!("{profile} is back on {}, which nothing activates", name_before(profile))
        }
    }
}

fn name_before(profile: &ProfileChange) -> String {
    let path = || profile.before.path.as_ref().map(ToString::to_string).unwrap_or_default();
    profile.before.number.map_or_else(path, |number| format!("generation {number}"))
}

/// Syncs the folder of a link.
fn sync(link: &str) -> Result<()> {
    let folder = Path::new(link).parent().unwrap_or(Path::new("/"));
    files::sync_file_system(&folder.to_string_lossy())
}
