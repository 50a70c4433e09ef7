//! Whether what is wanted is a system that this machine can switch to.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use anyhow::Result;
use deploy_wire::{
    machine::System,
    message::{Mode, Refusal, RefusalKind, Stage},
    store_path::StorePath,
};

use super::refusal::{refuse, refuse_with};
use crate::tools::{nix, switch_to_configuration};

/// Whether it is a NixOS system for this machine.
pub fn is_switchable(asked: &Stage) -> Result<(), Refusal> {
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
        Some(here) if platform.trim() == here.as_str() => same_init(asked),
        Some(here) => no(format!("{wanted} is built for {}, this is {here}", platform.trim())),
        None => no(format!("{} is no platform of NixOS", uname.machine().to_string_lossy())),
    }
}

/// `switch-to-configuration` does not switch between systems whose process 1 differs too
/// much: refusal `machine/another-init-interface`.
fn same_init(asked: &Stage) -> Result<(), Refusal> {
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

/// Whether paths and all that they need are in the store.
pub fn are_valid(paths: &[&StorePath]) -> Result<Result<(), Refusal>> {
    Ok(nix::closures_are_valid(paths)?.map_err(|said| {
        let why = format!("what the machine has of it in its store is not complete: {said}");
        refuse_with(RefusalKind::NotValid, why, "push it again")
    }))
}

/// The new system's own checks, where it has any. `boot` does without: it
/// switches nothing.
pub fn pre_switch_checks(asked: &Stage) -> Result<Result<(), Refusal>> {
    if asked.mode == Mode::Boot || !switch_to_configuration::knows_check(&asked.wanted)? {
        return Ok(Ok(()));
    }
    let ran = switch_to_configuration::check(&asked.wanted)?;
    if ran.succeeded() {
        return Ok(Ok(()));
    }
    let lines: Vec<&str> =
        ran.err.lines().chain(ran.out.lines()).filter(|line| !line.trim().is_empty()).collect();
    let why = format!("the new system's pre-switch checks refuse: {}", lines.join(" / "));
    Ok(Err(refuse_with(
        RefusalKind::SwitchRefused,
        why,
        "deploy --boot makes it the boot default without switching",
    )))
}
