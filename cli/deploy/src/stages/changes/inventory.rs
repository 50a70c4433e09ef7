//! What a system is made of, read where it is.

use std::collections::{BTreeMap, BTreeSet};

use deploy_wire::store_path::StorePath;

use crate::tools::{place::Place, shell, ssh::SshError};

const SCRIPT: &str = include_str!("inventory.sh");

/// The parts of a system.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// Its closure.
    pub paths: BTreeSet<StorePath>,
    /// Its unit files by name, as the files that they are links to.
    pub units: BTreeMap<String, String>,
    /// Kernel, initrd, modules and systemd.
    pub parts: BTreeMap<String, String>,
}

impl Inventory {
    /// Looks at `system` at `place`.
    pub async fn of(system: &StorePath, place: &Place) -> Result<Self, SshError> {
        let script = format!("SYSTEM={}; {SCRIPT}", shell::quote(system.as_str()));
        Ok(Self::read(&place.run(&script, "").await?, system))
    }

    fn read(text: &str, system: &StorePath) -> Self {
        let mut inventory = Self::default();
        for line in text.lines() {
            let mut words = line.split(' ');
            match (words.next(), words.next(), words.next()) {
                (Some("@path"), Some(path), None) => {
                    inventory.paths.extend(StorePath::parse(path).ok())
                }
                (Some("@unit"), Some(unit), Some(file)) => {
                    inventory.units.insert(unit.to_owned(), file.to_owned());
                }
                // A part that is a folder of the system itself tells nothing.
                (Some("@part"), Some(part), Some(file)) if !file.starts_with(system.as_str()) => {
                    inventory.parts.insert(part.to_owned(), file.to_owned());
                }
                _ => {}
            }
        }
        inventory
    }
}
