//! A machine's folder, its key and the admins' key are written, or none of them.

use std::path::{Path, PathBuf};

use super::{
    admins::{self, Admins},
    track,
};
use crate::{
    args::{KeyArgs, RulesArgs},
    commands::secrets::machine_key::{self, GivenKey, KeyWritten},
    error::{Failure, Result, State},
    report::Report,
    scaffold::{
        fleet_call::FleetCall,
        folder::{self, StagedFolder},
        modules::MachineModules,
        vm::{self, DeskKind},
    },
    secrets::rules,
};

/// What is written.
pub struct Write<'w> {
    /// Where.
    pub fleet: &'w FleetCall,
    /// The machine.
    pub machine: &'w MachineModules,
    /// The keys of those who may log in.
    pub admins: &'w Admins,
    /// The computer that is to start it as a virtual machine; `None` for no virtual machine.
    pub vm: Option<DeskKind>,
    /// The public host key of a machine that is there; without one a key is made.
    pub host_key: Option<&'w str>,
    /// Which rules.
    pub rules: &'w RulesArgs,
    /// The keys that open what is encrypted anew.
    pub keys: &'w KeyArgs,
}

impl Write<'_> {
    /// Writes all of it, and tells what.
    pub async fn run(&self, report: &Report) -> Result<()> {
        crate::tools::process::leave_no_core();
        let Self { fleet, machine, admins, .. } = self;
        let name = &machine.name;
        let refused = |why: &dyn std::fmt::Display| {
            Failure::unchanged(format!("{name} was not written")).because(why)
        };
        let to = fleet.machines.join(name);
        let files = machine.files();
        let staged = folder::stage(&to, &files).map_err(|error| refused(&error))?;
        let vm = self.staged_vm().map_err(|error| refused(&error))?;
        let is_new_admin = admins.write().map_err(|error| refused(&error))?;
        let key = match self.key(report).await {
            Ok(key) => key,
            Err(failure) => {
                if failure.state == State::Unchanged {
                    admins.put_back();
                }
                return Err(failure);
            }
        };
        staged.name().map_err(|error| {
            let key = key.as_ref().map_or("", |key| key.text.as_str());
            refused(&error).state(State::Changed(format!("no folder was written; {key}")))
        })?;
        let mut new: Vec<_> = files.iter().map(|(file, _)| to.join(file)).collect();
        if let Some((to, staged)) = vm {
            staged.name().map_err(|error| {
                let written = format!("{} is written", fleet.shown(&fleet.machines.join(name)));
                refused(&error).state(State::Changed(written))
            })?;
            new.push(to.join("default.nix"));
            let text = format!("{} starts it on this computer", fleet.shown(&to));
            report.note(name, text);
        }
        new.extend(key.iter().filter_map(|key| key.file.clone()));
        track::files(&new, &fleet.flake, report).await;
        let names: Vec<&str> = files.iter().map(|(file, _)| *file).collect();
        report.note(name, format!("{} has {}", fleet.shown(&to), names.join(", ")));
        if is_new_admin {
            report.note(name, format!("{} has your key", fleet.shown(&admins.file)));
        }
        match key {
            Some(key) => report.note(name, key.text),
            None => report
                .note(name, "no key of its own was written: the flake has no rules of secrets"),
        }
        Ok(())
    }

    /// The folder of its virtual machine, unless there is one.
    fn staged_vm(&self) -> std::io::Result<Option<(PathBuf, StagedFolder)>> {
        let Some(desk) = self.vm else { return Ok(None) };
        let name = &self.machine.name;
        let to = self.fleet.machines.join(vm::name_of(name));
        if to.exists() {
            return Ok(None);
        }
        let staged = folder::stage(&to, &vm::files(name, self.fleet, desk))?;
        Ok(Some((to, staged)))
    }

    /// Its key; `None` where there are no rules.
    async fn key(&self, report: &Report) -> Result<Option<KeyWritten>> {
        let flake = &self.fleet.flake;
        let named = self.rules.rules.as_deref();
        let found = rules::find(named, flake);
        let Ok(at) = found else {
            return if named.is_some() { found.map(|_| None) } else { Ok(None) };
        };
        let readers = admins::readers(&self.admins.file, Path::new(&at.folder))?;
        let key = match self.host_key {
            Some(key) => GivenKey::Public(key),
            None => GivenKey::Generated(&readers),
        };
        let which = (self.rules, self.keys);
        machine_key::give(&self.machine.name, key, flake, which, report).await.map(Some)
    }
}
