//! A snapshot of the units that PID 1 has in memory.

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;
use deploy_wire::record::Boot;
use serde::{Deserialize, Serialize};

use crate::{
    clock,
    storage::files,
    tools::pid1::{self, Listed, Property, Which},
};

/// The kinds of units that can break and be started again. Devices, slices, scopes and targets
/// follow other units, and are often more than all of these together.
pub const KINDS: [&str; 7] =
    ["*.service", "*.socket", "*.timer", "*.path", "*.mount", "*.automount", "*.swap"];

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unit {
    /// `loaded`, `not-found`, `masked` …
    pub load: String,
    /// `active`, `inactive`, `failed`, `activating` …
    pub active: String,
    /// `running`, `dead`, `auto-restart` …
    pub sub: String,
    /// `success`, or the reason for the failure.
    pub result: String,
    /// `success`, or why the last reload failed. The unit then continues with its old
    /// configuration.
    #[serde(default)]
    pub reload: String,
    /// The file that defines the unit; empty if there is none.
    pub fragment: String,
    /// The invocation id, new for each start.
    pub invocation: String,
    /// How often systemd restarted the unit.
    pub restarts: u64,
    /// The main process, or 0.
    pub main_pid: u32,
    /// When the state last changed, in microseconds of `CLOCK_MONOTONIC`.
    pub changed_us: u64,
    /// The units that trigger this unit.
    pub triggered_by: Vec<String>,
    /// Whether the unit exists only in PID 1's memory.
    pub transient: bool,
}

/// Units by name.
pub type Units = BTreeMap<String, Unit>;

/// The units at `stage`, in `units.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The boot of the snapshot. In another boot the snapshot is meaningless.
    pub boot: Boot,
    /// When the snapshot was taken, in microseconds of `CLOCK_MONOTONIC`.
    #[serde(default)]
    pub at_us: u64,
    /// The jobs in PID 1's queue.
    pub jobs: Vec<u64>,
    pub units: Units,
}

impl Snapshot {
    /// Takes a snapshot.
    pub fn take(boot: &Boot) -> Result<Self> {
        let jobs = pid1::jobs()?.into_iter().map(|job| job.id).collect();
        let at_us = u64::try_from(clock::monotonic().as_micros()).unwrap_or(u64::MAX);
        Ok(Self { boot: boot.clone(), at_us, jobs, units: now()? })
    }

    /// Reads the snapshot that `stage` wrote.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        files::read_json(path)
    }
}

/// The present units.
pub fn now() -> Result<Units> {
    of(Which::Matching(&KINDS))
}

/// The present state of some units.
pub fn of(which: Which<'_>) -> Result<Units> {
    let wanted = |unit: &Listed| interfaces(&unit.name);
    Ok(pid1::units_with(which, wanted, unit)?.into_iter().collect())
}

/// The properties to query for each unit beyond those in the list of units: first those of every
/// unit, then those of its kind.
const OF_EACH: [&str; 5] =
    ["FragmentPath", "InvocationID", "StateChangeTimestampMonotonic", "TriggeredBy", "Transient"];
const OF_ITS_KIND: [&str; 4] = ["Result", "ReloadResult", "NRestarts", "MainPID"];

fn interfaces(unit: &str) -> Vec<(&'static str, &'static str)> {
    let (kind, has) = match unit.rsplit_once('.').map_or("", |(_, kind)| kind) {
        "service" => ("Service", 4),
        "mount" => ("Mount", 2),
        "socket" => ("Socket", 1),
        "timer" => ("Timer", 1),
        "path" => ("Path", 1),
        "automount" => ("Automount", 1),
        "swap" => ("Swap", 1),
        _ => ("", 0),
    };
    let each = OF_EACH.iter().map(|name| ("Unit", *name));
    each.chain(OF_ITS_KIND.iter().take(has).map(move |name| (kind, *name))).collect()
}

fn unit(listed: Listed, told: Vec<(&str, Property)>) -> (String, Unit) {
    let Listed { name, load, active, sub, .. } = listed;
    let mut unit = Unit { load, active, sub, ..Unit::default() };
    for told in told {
        match told {
            ("FragmentPath", Property::Text(path)) => unit.fragment = path,
            ("InvocationID", Property::Bytes(id)) => unit.invocation = hex(&id),
            ("StateChangeTimestampMonotonic", Property::Number(at)) => unit.changed_us = at,
            ("TriggeredBy", Property::Texts(units)) => unit.triggered_by = units,
            ("Transient", Property::Truth(transient)) => unit.transient = transient,
            ("Result", Property::Text(result)) => unit.result = result,
            ("ReloadResult", Property::Text(result)) => unit.reload = result,
            ("NRestarts", Property::Number(restarts)) => unit.restarts = restarts,
            ("MainPID", Property::Number(id)) => {
                unit.main_pid = u32::try_from(id).unwrap_or_default();
            }
            _ => {}
        }
    }
    (name, unit)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Unit {
    /// Whether the unit is active or is being started.
    pub fn is_up(&self) -> bool {
        matches!(self.active.as_str(), "active" | "reloading" | "activating" | "refreshing")
    }

    /// Whether the unit does its work now: active and not between two restarts.
    pub fn is_active(&self) -> bool {
        pid1::is_active(&self.active)
    }

    /// Whether the unit was restarted, stopped or started, or has failed since `before`.
    pub fn moved_since(&self, before: &Self) -> bool {
        self.invocation != before.invocation
            || self.restarts != before.restarts
            || self.active != before.active
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(name: &str) -> Listed {
        let [name, load, active, sub] = [name, "loaded", "active", "running"].map(str::to_owned);
        Listed { name, load, active, sub, path: String::new() }
    }

    #[test]
    fn what_pid_1_tells_of_a_service_is_read() {
        let text = |text: &str| Property::Text(text.into());
        let told = vec![
            ("FragmentPath", text("/etc/systemd/system/ssh.service")),
            ("InvocationID", Property::Bytes(vec![0xab, 1])),
            ("StateChangeTimestampMonotonic", Property::Number(5)),
            ("TriggeredBy", Property::Texts(vec!["a.socket".into(), "b.path".into()])),
            ("Transient", Property::Truth(false)),
            ("Result", text("success")),
            ("ReloadResult", text("exit-code")),
            ("NRestarts", Property::Number(2)),
            ("MainPID", Property::Number(77)),
        ];
        let asked: Vec<&str> = interfaces("ssh.service").iter().map(|(_, name)| *name).collect();
        let read: Vec<&str> = told.iter().map(|(name, _)| *name).collect();
        assert_eq!(asked, read, "each property that is asked for is read");
        let (name, ssh) = unit(listed("ssh.service"), told);
        assert!(name == "ssh.service" && ssh.is_active() && !ssh.transient);
        assert_eq!((ssh.result.as_str(), ssh.reload.as_str()), ("success", "exit-code"));
        assert_eq!((ssh.restarts, ssh.main_pid, ssh.changed_us), (2, 77, 5));
        assert_eq!(ssh.invocation, "ab01");
        assert_eq!(ssh.triggered_by, ["a.socket", "b.path"]);
    }

    #[test]
    fn of_each_kind_that_is_looked_at_the_result_is_asked_for() {
        for kind in KINDS {
            let interfaces = interfaces(kind);
            assert!(interfaces.iter().any(|(_, name)| *name == "Result"), "{kind}");
        }
    }

    #[test]
    fn only_what_tells_of_a_change_counts_as_one() {
        let before = Unit { invocation: "a".into(), active: "active".into(), ..Unit::default() };
        let same = Unit { main_pid: 9, sub: "running".into(), ..before.clone() };
        assert!(!same.moved_since(&before));
        assert!(Unit { invocation: "b".into(), ..before.clone() }.moved_since(&before));
        assert!(Unit { restarts: 1, ..before.clone() }.moved_since(&before));
    }
}
