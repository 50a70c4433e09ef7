//! Making the wanted system the boot default.

use anyhow::{Context, Result};
use deploy_wire::{
    attempt::Mode,
    baseline::{Confirmed, Identity},
    outcome::BootDefault,
    record::Record,
    sealed,
};

use super::{Watch, activate::foreign};
use crate::{
    attempt::{ledger::Happened, switch::Step, transition::Event},
    clock,
    machine::{boot_files, boot_places, look, profiles},
    storage::files,
};

impl Watch<'_> {
    /// Sets the profile, then the boot loader, and verifies the boot default. A commit that was
    /// interrupted repeats the interrupted part and skips the finished ones.
    pub fn commit(&mut self, record: &Record) -> Result<Happened> {
        if look::profile_is_foreign(record) {
            return Ok(foreign("another tool set the system profile before the commit"));
        }
        // The store must be on the disk before the boot loader names the new system. Nix's import
        // does not sync it, and `switch-to-configuration boot` writes the loader before it syncs
        // the store. A power cut in between would boot a system of empty files.
        files::sync_file_system("/nix/store")?;
        self.set_profile(record)?;
        boot_files::remove_left_over()?;
        boot_files::remove_damaged(&record.wanted)?;
        let limit = record.rules.timeouts.activation();
        let waited = self.wait_for(Step::Commit, limit, || Ok(true))?;
        if !waited.succeeded() {
            let why = format!("the boot loader was not installed: {}", waited.told());
            return Ok(Happened::because(Event::CommitFailed, why));
        }
        let mut notes = self.late_notes();
        notes.extend(self.advisory_notes());
        // The boot loader's builder may succeed while another file overrules what it wrote:
        // `a-loader-that-was-installed-and-boots-something-else-goes-back` proves it.
        match look::boots() {
            BootDefault::Known(boots) if boots == record.wanted => {}
            BootDefault::Known(boots) => {
                let why = format!("the boot loader was installed, but {boots} is its default");
                return Ok(Happened::because(Event::CommitFailed, why));
            }
            BootDefault::Unknown(why) => notes.push(format!("boots: not known ({why})")),
        }
        sync()?;
        // Another tool may have failed on the switch's lock during the commit, and set the profile
        // nevertheless: `table-other-tool-switches-in-commit` proves it.
        if look::profile_is_foreign(record) {
            return Ok(foreign("another tool set the system profile during the commit"));
        }
        // With the mode `boot`, nobody has confirmed the system.
        if record.mode == Mode::Switch {
            self.agent.ledger.confirm(&confirmed(record))?;
        }
        notes.extend(note_of_confirmation(record));
        Ok(Happened { event: Event::Committed, why: None, notes })
    }
}

/// Syncs the profile's folder, the store and every file system that the boot loader reads:
/// `a-power-cut-the-instant-deploy-ends-boots-the-new-system` proves it, and
/// `every_file_system_with_a_loader_s_files_is_found` proves which file systems these are.
fn sync() -> Result<()> {
    for path in ["/nix/var/nix/profiles", "/nix/store"] {
        files::sync_file_system(path)?;
    }
    for place in boot_places::all() {
        let path = place.path.to_string_lossy();
        files::sync_file_system(&path).context("the boot loader's files")?;
    }
    Ok(())
}

fn confirmed(record: &Record) -> Confirmed {
    let Identity { machine_id, host_keys } = look::identity();
    Confirmed {
        version: sealed::VERSION,
        toplevel: record.wanted.clone(),
        attempt: record.attempt.clone(),
        at: clock::wall(),
        generation: look::profile().generation,
        machine: record.machine.clone(),
        machine_id,
        host_keys,
        revision: record.revision.clone(),
    }
}

/// Notes for a mode without a confirmation or without a commit.
pub fn note_of_confirmation(record: &Record) -> Vec<String> {
    let mut notes = profiles::describe_kept(record);
    match record.mode {
        Mode::Boot => notes.push("nothing has tried that it boots".into()),
        Mode::Test => notes.push("it runs until the next reboot: the boot default stays".into()),
        Mode::Switch => {}
    }
    if record.mode != Mode::Boot && !record.rules.confirm.required {
        notes.push("no login confirmed it".into());
    }
    notes
}
