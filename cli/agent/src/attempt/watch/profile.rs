//! Setting the system profile for a commit, and undoing exactly that.

use anyhow::{Result, bail};
use deploy_wire::record::Record;

use super::Watch;
use crate::{machine::look, tools::nix};

impl Watch<'_> {
    /// Points the profile to the wanted system and records the generation that this made, if any.
    /// Does nothing if the profile is already set.
    pub fn set_profile(&self, record: &Record) -> Result<()> {
        if look::profile().system.as_ref() != Some(&record.wanted) {
            nix::set_profile(&record.wanted)?;
        }
        let now = look::profile();
        if now.system.as_ref() != Some(&record.wanted) {
            bail!("the system profile does not name the new system after nix-env --set");
        }
        // An unchanged path makes no new generation, so "the number before plus one" would be
        // wrong.
        let made = now.generation.filter(|_| now.generation != record.profile.generation);
        if made.is_some() && record.made_generation != made {
            self.agent.ledger.remember(self.attempt, |record| record.made_generation = made)?;
        }
        Ok(())
    }

    /// Points the profile back and deletes the generation that the commit made, because some boot
    /// loaders start the highest one.
    pub fn restore_profile(&self, record: &Record) -> Result<()> {
        let now = look::profile();
        if now == record.profile || now.system.as_ref() != Some(&record.wanted) {
            return Ok(());
        }
        let Some(before) = record.profile.generation else {
            bail!("there was no system profile before, so it stays on the new system");
        };
        nix::switch_profile(before)?;
        if let Some(made) = record.made_generation.or(now.generation) {
            nix::delete_generation(made)?;
        }
        Ok(())
    }
}
