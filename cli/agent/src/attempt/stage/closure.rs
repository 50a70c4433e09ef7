//! Checks that the machine can switch to the wanted closure.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use deploy_wire::{
    attempt::Mode,
    machine::System,
    message::{NOT_REGISTERED, Refusal, RefusalKind, Stage},
    record::Record,
    store_path::StorePath,
};

use super::refusal::{StageError, refuse, refuse_with};
use crate::tools::{nix, switch_to_configuration};

/// Refuses a closure that is no NixOS system for this machine.
pub fn refuse_unswitchable(asked: &Stage) -> Result<(), Refusal> {
    let wanted = &asked.wanted;
    let no = |why: String| Err(refuse(RefusalKind::NotSwitchable, why));
    if !Path::new(wanted.as_str()).is_dir() {
        let why = format!("{wanted} is not in the machine's store");
        return Err(refuse_with(RefusalKind::NotValid, why, "push it again"));
    }
    let program = switch_to_configuration::program(wanted);
    for file in [program.as_str(), &format!("{wanted}/activate"), &format!("{wanted}/init")] {
        let executable =
            fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o111 != 0);
        if !executable {
            let below = file.trim_start_matches(wanted.as_str());
            let why = format!("{wanted} is no NixOS system: it has no program {below}");
            let hint = "system.switch.enable = false leaves it out; a deploy needs it";
            return Err(refuse_with(RefusalKind::NotSwitchable, why, hint));
        }
    }
    let uname = rustix::system::uname();
    let here = System::of_uname(&uname.machine().to_string_lossy());
    let platform = fs::read_to_string(format!("{wanted}/system")).unwrap_or_default();
    match here {
        Some(here) if platform.trim() == here.as_str() => refuse_another_init(asked),
        Some(here) => no(format!("{wanted} is built for {}, this is {here}", platform.trim())),
        None => no(format!("{} is no platform of NixOS", uname.machine().to_string_lossy())),
    }
}

/// Refuses a system whose process 1 differs too much, because `switch-to-configuration` does not
/// switch to it: refusal `machine/another-init-interface`.
fn refuse_another_init(asked: &Stage) -> Result<(), Refusal> {
    let version = |system: &StorePath| {
        let text = fs::read_to_string(format!("{system}/init-interface-version"));
        text.unwrap_or_default().trim().to_owned()
    };
    let (old, new) = (version(&asked.expects), version(&asked.wanted));
    if asked.mode == Mode::Boot || old == new {
        return Ok(());
    }
    let why = format!(
        "the new system's init is `{new}`, the running one is `{old}`: only a reboot changes it"
    );
    let hint = "deploy --boot makes it the boot default without switching; then reboot";
    Err(refuse_with(RefusalKind::NotSwitchable, why, hint))
}

/// Refuses an attempt if the store lacks a path of a closure. A push sends only the wanted closure,
/// so a gap in the previous system is reported separately. With profiles alone, the system is not
/// looked at.
pub fn refuse_incomplete(record: &Record) -> Result<(), StageError> {
    let Record { wanted, ran, agent, .. } = record;
    let mut paths = vec![agent];
    paths.extend(record.profiles.iter().map(|profile| &profile.wanted));
    if !record.profiles_alone {
        paths.extend([wanted, ran]);
    }
    let Err(said) = nix::closures_are_valid(&paths)? else { return Ok(()) };
    if !record.profiles_alone
        && ran != wanted
        && let Err(said) = nix::closures_are_valid(&[ran])?
    {
        let why = format!("what runs is not in the database of the machine's store: {said}");
        return Err(refuse_with(RefusalKind::NotSwitchable, why, NOT_REGISTERED).into());
    }
    let why = format!("what the machine has of it in its store is not complete: {said}");
    Err(refuse_with(RefusalKind::NotValid, why, "push it again").into())
}

/// Runs the new system's pre-switch checks, if it has any. The mode `boot` skips them because it
/// does not switch.
pub fn run_pre_switch_checks(asked: &Stage) -> Result<(), StageError> {
    if asked.mode == Mode::Boot || !switch_to_configuration::knows_check(&asked.wanted)? {
        return Ok(());
    }
    let ran = switch_to_configuration::check(&asked.wanted)?;
    if ran.succeeded() {
        return Ok(());
    }
    let lines: Vec<&str> =
        ran.err.lines().chain(ran.out.lines()).filter(|line| !line.trim().is_empty()).collect();
    let why = format!("the new system's pre-switch checks refuse: {}", lines.join(" / "));
    let hint = "deploy --boot makes it the boot default without switching";
    Err(refuse_with(RefusalKind::SwitchRefused, why, hint).into())
}
