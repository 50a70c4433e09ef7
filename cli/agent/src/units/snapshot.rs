//! The units that PID 1 has in memory, at one moment.

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;
use deploy_wire::record::Boot;
use serde::{Deserialize, Serialize};

use crate::{files, tools::systemd::Systemd};

/// What is asked of each unit.
const PROPERTIES: &str = "Id,LoadState,ActiveState,SubState,Result,ReloadResult,FragmentPath,InvocationID,\
    NRestarts,MainPID,StateChangeTimestampMonotonic,TriggeredBy,Transient";

/// The kinds of units that can break and be started again. Devices, slices, scopes and
/// targets, often more than all these together, follow others.
pub const KINDS: [&str; 7] =
    ["*.service", "*.socket", "*.timer", "*.path", "*.mount", "*.automount", "*.swap"];

/// One unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unit {
    /// `loaded`, `not-found`, `masked` …
    pub load: String,
    /// `active`, `inactive`, `failed`, `activating` …
    pub active: String,
    /// `running`, `dead`, `auto-restart` …
    pub sub: String,
    /// `success`, or why it failed.
    pub result: String,
    /// `success`, or why its last reload failed; it went on with what it had.
    #[serde(default)]
    pub reload: String,
    /// The file that defines it; empty if none does.
    pub fragment: String,
    /// A new one for each start.
    pub invocation: String,
    /// How often systemd restarted it by itself.
    pub restarts: u64,
    /// Its main process, 0 if there is none.
    pub main_pid: u32,
    /// When its state last changed, in microseconds of `CLOCK_MONOTONIC`.
    pub changed_us: u64,
    /// Units that start it when something happens.
    pub triggered_by: Vec<String>,
    /// Whether it exists in PID 1's memory only.
    pub transient: bool,
}

/// Units by name.
pub type Units = BTreeMap<String, Unit>;

/// The units at `stage`, in `units.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The boot that it is of: in another one it says nothing.
    pub boot: Boot,
    /// Jobs that PID 1 had.
    pub jobs: Vec<u64>,
    /// The units.
    pub units: Units,
}

impl Snapshot {
    /// Takes one.
    pub fn take(systemd: &Systemd, boot: &Boot) -> Result<Self> {
        let jobs = systemd.jobs()?.into_iter().map(|job| job.id).collect();
        Ok(Self { boot: boot.clone(), jobs, units: now(systemd)? })
    }

    /// Reads the one that `stage` wrote.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        files::read_json(path)
    }
}

/// The units as they are now.
pub fn now(systemd: &Systemd) -> Result<Units> {
    these(systemd, &KINDS)
}

/// The units that match one of `patterns`, as they are now.
pub fn these(systemd: &Systemd, patterns: &[&str]) -> Result<Units> {
    Ok(parse(&systemd.show_units(patterns, PROPERTIES)?))
}

fn parse(text: &str) -> Units {
    text.split("\n\n").filter_map(block).collect()
}

fn block(text: &str) -> Option<(String, Unit)> {
    let mut id = None;
    let mut unit = Unit::default();
    for line in text.lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        let owned = || value.to_owned();
        match name {
            "Id" => id = Some(owned()),
            "LoadState" => unit.load = owned(),
            "ActiveState" => unit.active = owned(),
            "SubState" => unit.sub = owned(),
            "Result" => unit.result = owned(),
            "ReloadResult" => unit.reload = owned(),
            "FragmentPath" => unit.fragment = owned(),
            "InvocationID" => unit.invocation = owned(),
            "NRestarts" => unit.restarts = value.parse().unwrap_or_default(),
            "MainPID" => unit.main_pid = value.parse().unwrap_or_default(),
            "StateChangeTimestampMonotonic" => {
                unit.changed_us = value.parse().unwrap_or_default();
            }
            "TriggeredBy" => unit.triggered_by = value.split_whitespace().map(Into::into).collect(),
            "Transient" => unit.transient = value == "yes",
            _ => {}
        }
    }
    id.map(|id| (id, unit))
}

impl Unit {
    /// Whether it is up or coming up.
    pub fn is_up(&self) -> bool {
        matches!(self.active.as_str(), "active" | "reloading" | "activating" | "refreshing")
    }

    /// Whether it does its work now: up and not in between two tries.
    pub fn is_active(&self) -> bool {
        matches!(self.active.as_str(), "active" | "reloading" | "refreshing")
    }

    /// Whether something restarted, stopped, started or failed since `before`.
    pub fn moved_since(&self, before: &Self) -> bool {
        self.invocation != before.invocation
            || self.restarts != before.restarts
            || self.active != before.active
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systemctl_prints_is_read() {
        let text = "Id=ssh.service\nLoadState=loaded\nActiveState=active\nSubState=running\n\
            Result=success\nReloadResult=exit-code\nFragmentPath=/etc/systemd/system/ssh.service\nInvocationID=ab\n\
            NRestarts=2\nMainPID=77\nStateChangeTimestampMonotonic=5\nTriggeredBy=a.socket b.path\n\
            Transient=no\n\nActiveState=active\nId=-.mount\nTransient=yes\n";
        let units = parse(text);
        assert_eq!(units.len(), 2);
        let ssh = &units["ssh.service"];
        assert!(ssh.is_active() && !ssh.transient);
        assert_eq!((ssh.result.as_str(), ssh.reload.as_str()), ("success", "exit-code"));
        assert_eq!((ssh.restarts, ssh.main_pid, ssh.changed_us), (2, 77, 5));
        assert_eq!(ssh.triggered_by, ["a.socket", "b.path"]);
        assert!(units["-.mount"].transient);
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
