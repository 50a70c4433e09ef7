//! The parts of a system, read in the store that has it.

use std::collections::{BTreeMap, BTreeSet};

use deploy_wire::store_path::StorePath;

use super::{
    secrets::{self, Encrypted},
    units::Declared,
};
use crate::tools::{place::Place, shell, ssh::SshError};

const SCRIPT: &str = include_str!("inventory.sh");

/// The parts of a system.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// The paths of its closure.
    pub paths: BTreeSet<StorePath>,
    /// Its units.
    pub units: Declared,
    /// Its encrypted secrets.
    pub secrets: Encrypted,
    /// Its kernel, initrd, modules and systemd.
    pub parts: BTreeMap<String, String>,
}

impl Inventory {
    /// Reads `system` at `place`.
    pub async fn of(system: &StorePath, place: &Place) -> Result<Self, SshError> {
        let script =
            format!("SYSTEM={}; {}{SCRIPT}", shell::quote(system.as_str()), secrets::SCRIPT);
        Ok(Self::read(&place.run(&script, "").await?, system))
    }

    fn read(text: &str, system: &StorePath) -> Self {
        let mut inventory = Self { secrets: Encrypted::read(text), ..Self::default() };
        for line in text.lines() {
            let Some((word, rest)) = line.split_once(' ') else { continue };
            match word {
                "@path" => inventory.paths.extend(StorePath::parse(rest).ok()),
                // The line has the checksum, the size and the file.
                "@unit" => {
                    if let Some((says, file)) = rest.split_once(" ./") {
                        inventory.units.add(file, says);
                    }
                }
                "@masked" => inventory.units.add(rest.trim_start_matches("./"), "masked"),
                "@part" => inventory.part(rest, system),
                _ => {}
            }
        }
        inventory
    }

    /// Adds a part. A folder of the system itself is skipped, because its path changes with every
    /// system.
    fn part(&mut self, rest: &str, system: &StorePath) {
        if let Some((part, file)) = rest.split_once(' ')
            && !file.starts_with(system.as_str())
        {
            self.parts.insert(part.to_owned(), file.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the script on a system that looks like NixOS's: links into the store, drop-in folders,
    /// links of wants, a masked unit.
    #[test]
    fn the_script_sees_what_units_say() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let make =
            "mkdir -p store bin A/etc/systemd B/etc/systemd sys/a.target.wants sys/b.service.d
            echo one > store/1; echo one > store/2; echo two > store/3
            ln -s ../store/1 sys/a.service; ln -s ../a.service sys/a.target.wants/a.service
            ln -s ../store/1 sys/b.service; ln -s ../../store/1 sys/b.service.d/overrides.conf
            ln -s /dev/null sys/c.service
            cp -a sys sys2; ln -sfn ../store/2 sys2/a.service
            ln -sfn ../../store/3 sys2/b.service.d/overrides.conf
            rm sys2/c.service; ln -s ../store/1 sys2/c.service; rm sys2/a.target.wants/a.service
            ln -s ../../../sys A/etc/systemd/system; ln -s ../../../sys2 B/etc/systemd/system
            printf '#!/bin/sh\n' > bin/nix-store; chmod +x bin/nix-store";
        let sh = |script: &str| {
            let path = format!("{}/bin:{}", root.display(), std::env::var("PATH").unwrap());
            let mut command = std::process::Command::new("/bin/sh");
            command.args(["-ec", script]).current_dir(&root).env("PATH", path);
            let output = command.output().unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        sh(make);
        let system = StorePath::parse("/nix/store/11111111111111111111111111111111-x").unwrap();
        let of = |name: &str| {
            Inventory::read(&sh(&format!("SYSTEM=$PWD/{name}; {SCRIPT}")), &system).units
        };
        let units = super::super::units::changed(&of("A"), &of("B"));
        assert_eq!(units.changed, ["b.service", "c.service"]);
        assert_eq!(units.disabled, ["a.service"]);
        assert!(units.new.is_empty() && units.removed.is_empty() && units.enabled.is_empty());
    }
}
