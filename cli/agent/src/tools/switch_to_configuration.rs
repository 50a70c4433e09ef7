//! `switch-to-configuration` and `activate` of a toplevel.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use deploy_wire::store_path::StorePath;

use super::{
    command::path,
    process::{self, Ran},
    switch_lock,
};

const LIMIT: Duration = Duration::from_secs(60);
const LOCALES: &str = "/run/current-system/sw/lib/locale/locale-archive";

/// Whether the new system's pre-switch checks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreSwitchChecks {
    /// They run and can refuse.
    Run,
    /// They do not run: they ran earlier, or this is a rollback, which nothing may refuse.
    Skip,
}

/// The program's path in a toplevel.
pub fn program(toplevel: &StorePath) -> String {
    format!("{toplevel}/bin/switch-to-configuration")
}

/// Sets the environment of `nixos-rebuild` and nothing else: LOCALE_ARCHIVE, the order not to
/// reinstall the boot loader itself, and PATH.
fn environment(command: &mut Command, checks: PreSwitchChecks) {
    command.current_dir("/").env_clear();
    command.env("PATH", path()).env("NIXOS_INSTALL_BOOTLOADER", "0");
    if std::path::Path::new(LOCALES).exists() {
        command.env("LOCALE_ARCHIVE", LOCALES);
    }
    if checks == PreSwitchChecks::Skip {
        command.env("NIXOS_NO_CHECK", "1");
    }
}

/// Starts an action with its output in a pipe. Before that, it closes the lock file to users.
pub fn start(program: &str, arguments: &[&str], checks: PreSwitchChecks) -> Result<Child> {
    close_the_lock();
    let (read, write) = std::io::pipe().context("no pipe")?;
    let mut command = Command::new(program);
    environment(&mut command, checks);
    command.args(arguments).stdin(Stdio::null());
    command.stdout(write.try_clone().context("no pipe")?).stderr(write);
    let mut child = command.spawn().with_context(|| format!("{program} cannot be started"))?;
    child.stdout = Some(std::os::fd::OwnedFd::from(read).into());
    Ok(child)
}

/// Whether the program has the action `check`. Its usage text shows it.
pub fn knows_check(toplevel: &StorePath) -> Result<bool> {
    let mut command = Command::new(program(toplevel));
    environment(&mut command, PreSwitchChecks::Run);
    let ran = process::run(&mut command, LIMIT)?;
    Ok(names_check(&ran.out) || names_check(&ran.err))
}

/// Closes the lock file to users. A failure is a danger but does not stop the switch.
fn close_the_lock() {
    if let Err(error) = switch_lock::close_to_others() {
        eprintln!("the lock of switch-to-configuration stays open to others: {error}");
    }
}

fn names_check(usage: &str) -> bool {
    usage.lines().any(|line| line.trim_start().starts_with("check:"))
}

/// Runs the pre-switch checks and nothing else.
pub fn check(toplevel: &StorePath) -> Result<Ran> {
    close_the_lock();
    let mut command = Command::new(program(toplevel));
    environment(&mut command, PreSwitchChecks::Run);
    Ok(process::run(command.arg("check"), LIMIT)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_usage_text_that_names_check_knows_it() {
        assert!(names_check("Usage: x [check|switch]\ncheck:        run pre-switch checks\n"));
        assert!(!names_check("Usage: x [switch|boot|test]\nswitch: make it the default\n"));
    }
}
