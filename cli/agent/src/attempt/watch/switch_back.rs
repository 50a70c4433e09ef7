//! The first two steps of the rollback: switching to the previous system, with the system bus and
//! without it.

use std::{fs, path::Path, thread, time::Duration};

use anyhow::Result;
use deploy_wire::record::Record;

use super::{PAUSE, Watch, reboot::reason, steps::Waited};
use crate::{
    attempt::switch::{self, Step},
    clock,
    machine::{
        look,
        units::{
            definition::brings,
            restore::difference,
            snapshot::{self, Snapshot, Unit, Units},
        },
    },
    storage::paths::SWITCH_LISTS,
    tools::{connect::connect, pid1, switch_lock},
};

/// How long another switch may hold the lock.
const LOCK_LIMIT: Duration = Duration::from_secs(60);
/// How long sshd may take until it accepts logins.
const LOGINS_LIMIT: Duration = Duration::from_secs(10);
/// How long the system bus may take to accept a connection. Users can fill its queue.
const BUS_LIMIT: Duration = Duration::from_secs(5);
const BUS: &str = "/run/dbus/system_bus_socket";
/// The units that accept logins: the service, or the socket that starts a service per login.
const SSH: [&str; 4] = ["sshd.service", "sshd.socket", "ssh.service", "ssh.socket"];

impl Watch<'_> {
    /// Switches to the previous system and restores its units. Returns notes for the operator; the
    /// inner error says why both steps failed.
    pub fn switch_back(
        &self,
        record: &Record,
        before: Option<&Snapshot>,
    ) -> Result<Result<Vec<String>, String>> {
        let limit = record.rules.timeouts.rollback();
        if self.is_sane() {
            let waited = self.wait_for(Step::RollBack, limit, || Ok(true))?;
            if has_gone_back(waited, record) {
                let notes = self.restore(before);
                if self.is_sane() && self.takes_logins(before) {
                    return Ok(Ok(notes));
                }
            }
            self.events.note(format!("the rollback: {}", waited.told()));
            switch::kill(self.agent, self.attempt, Step::RollBack);
        }
        // `switch-to-configuration` needs the system bus; `activate` does not.
        self.events.note("activating the previous system without the system bus");
        let waited = self.wait_for(Step::Reactivate, limit, || Ok(true))?;
        let first = format!("activating the previous system: {}", waited.told());
        let systemd = &self.agent.systemd;
        // The following switch shows whether these commands helped.
        for arguments in
            [["daemon-reload"].as_slice(), &["reset-failed"], &["start", "default.target"]]
        {
            if let Err(error) = systemd.must(arguments, limit) {
                self.events.note(format!("{error:#}"));
            }
        }
        let waited = self.wait_for(Step::RollBackAgain, limit, || Ok(true))?;
        let mut last = format!("the switch back: {}", waited.told());
        if has_gone_back(waited, record) {
            let notes = self.restore(before);
            match (self.is_sane(), self.takes_logins(before)) {
                (true, true) => return Ok(Ok(notes)),
                (false, _) => last = "it is in emergency mode, or has no system bus".into(),
                (true, false) => last = "sshd does not run any more".into(),
            }
        }
        Ok(Err(format!("{}; {first}; {last}", reason(record))))
    }

    /// Whether the system bus works and the machine is not in emergency mode.
    fn is_sane(&self) -> bool {
        let emergency = ["emergency.target", "rescue.target"]
            .iter()
            .any(|unit| pid1::is_unit_alive(unit).unwrap_or(false));
        !emergency && connect(BUS, BUS_LIMIT).is_ok()
    }

    /// Whether sshd runs, if it ran before. The previous system's switch may come back without
    /// sshd, because it does not check units that it does not start.
    fn takes_logins(&self, before: Option<&Snapshot>) -> bool {
        if !before.is_some_and(|before| is_sshd(&before.units, Unit::is_active)) {
            return true;
        }
        let end = clock::boottime() + LOGINS_LIMIT;
        loop {
            let units = snapshot::now().unwrap_or_default();
            if is_sshd(&units, Unit::is_active) {
                return true;
            }
            // A unit that failed for good needs no waiting.
            let comes = units.is_empty() || is_sshd(&units, Unit::is_up);
            if !comes || clock::boottime() >= end {
                return false;
            }
            thread::sleep(PAUSE);
        }
    }

    /// Restores the units of `stage`, if they are known. Returns what failed.
    pub(super) fn restore(&self, before: Option<&Snapshot>) -> Vec<String> {
        let Some(before) = before else { return Vec::new() };
        self.restore_units(before).unwrap_or_else(|error| {
            vec![format!("the units that ran before could not be compared: {error:#}")]
        })
    }

    /// Starts the units that ran and stops those that the administrator had stopped; the switch
    /// does neither. Returns what failed as notes.
    fn restore_units(&self, before: &Snapshot) -> Result<Vec<String>> {
        let systemd = &self.agent.systemd;
        let limit = Duration::from_secs(90);
        let missing = difference(&before.units, &snapshot::now()?);
        let mut reset = vec!["reset-failed"];
        reset.extend(missing.to_start.iter().map(String::as_str));
        if reset.len() > 1 {
            // This fails for units that are not loaded, which need no reset.
            let _ = systemd.must(&reset, limit);
        }
        let existing: Vec<String> =
            missing.to_start.into_iter().filter(|unit| self.is_loadable(unit)).collect();
        // Units that fail are listed by name below.
        let _ = systemd.start(&existing, limit);
        let _ = systemd.stop(&missing.to_stop, limit);
        let left = difference(&before.units, &snapshot::now()?);
        let not_started = left.to_start.iter().filter(|unit| self.is_loadable(unit));
        let notes = not_started
            .map(|unit| format!("{unit} ran before and could not be started again"))
            .chain(left.to_stop.iter().map(|unit| format!("{unit} was stopped before and runs")));
        Ok(notes.collect())
    }

    fn is_loadable(&self, unit: &str) -> bool {
        pid1::named(unit).is_ok_and(|unit| unit.load == "loaded")
    }
}

/// Whether a unit of sshd is in the given state.
fn is_sshd(units: &Units, state: fn(&Unit) -> bool) -> bool {
    SSH.iter().any(|name| units.get(*name).is_some_and(state))
}

/// Whether the switch back succeeded. Statuses 2 and 4 report snippets and units that failed in the
/// previous system as well.
fn has_gone_back(waited: Waited, record: &Record) -> bool {
    let Waited::Ended(ending) = waited else { return false };
    matches!(ending.status, Some(0 | 2 | 4)) && look::is_running(&record.ran)
}

/// Waits for a switch of another tool, with a limit.
pub fn wait_for_the_lock() {
    let end = clock::boottime() + LOCK_LIMIT;
    while switch_lock::runs_now() && clock::boottime() < end {
        thread::sleep(PAUSE);
    }
}

/// Repairs the lists of units that an interrupted switch leaves for the next one. Units that the
/// previous system lacks would make the next switch fail; the others must be started again:
/// `a-killed-switch-leaves-lists-and-stopped-units-and-rollback-restores-the-exact-set-that-ran`.
pub fn repair_lists(record: &Record) -> Result<()> {
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
