//! The profiles besides the system: whether each can be activated, and what its link names.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use deploy_wire::{
    attempt::Mode,
    machine::Profile,
    message::{RefusalKind, Stage},
    record::ProfileChange,
};

use super::refusal::{StageError, refuse, refuse_with};
use crate::{
    machine::profiles,
    tools::{profile, user},
};

/// The requested profiles with their present state on the machine.
pub fn changes(asked: &Stage) -> Result<Vec<ProfileChange>, StageError> {
    let mut changes: Vec<ProfileChange> = Vec::new();
    for profile in asked.machine.other_profiles() {
        let change = change(asked, profile)?;
        let twin = changes.iter().find(|other| change.link.is_some() && other.link == change.link);
        if let Some(other) = twin {
            let link = change.link.as_deref().unwrap_or_default();
            let why = format!("{profile} and {other} have the same link, {link}");
            return Err(refuse(RefusalKind::NotSwitchable, why).into());
        }
        changes.push(change);
    }
    Ok(changes)
}

fn change(asked: &Stage, profile: &Profile) -> Result<ProfileChange, StageError> {
    let no = |why: String| Err(refuse(RefusalKind::NotSwitchable, why).into());
    if asked.mode != Mode::Switch {
        return no(format!("{profile} is deployed by a switch alone"));
    }
    let path = &profile.path;
    if !Path::new(path.as_str()).is_dir() {
        let why = format!("{path}, {profile}, is not in the machine's store");
        return Err(refuse_with(RefusalKind::NotValid, why, "push it again").into());
    }
    let script = profile::script(path);
    let is_program = fs::metadata(&script).is_ok_and(|it| it.permissions().mode() & 0o111 != 0);
    if !is_program {
        return no(format!("{profile} has no program deploy-rs-activate in {path}"));
    }
    let found = user::find(&profile.user)?;
    // The new system may create the user.
    if found.is_none() && asked.machine.toplevel.is_none() {
        return no(format!("{profile}: the machine has no such user"));
    }
    if let Some(user) = &found {
        let ran = profile::can_run(user, path)?;
        if !ran.succeeded() {
            return no(format!("{profile} cannot be run as that user: {}", ran.last_words()));
        }
    }
    let link = match (&found, &profile.profile_path) {
        (Some(user), _) => Some(profiles::link(profile, user)),
        (None, place) => place.clone(),
    };
    if link.as_deref().is_some_and(profiles::is_the_system) {
        return no(format!("{profile} has the system's own link"));
    }
    Ok(ProfileChange {
        name: profile.name.clone(),
        user: profile.user.clone(),
        before: link.as_deref().map(profiles::look).unwrap_or_default(),
        link,
        wanted: path.clone(),
        begun: false,
        made_generation: None,
    })
}
