//! The units in the files of `/etc/systemd/system`, by name.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::Units;

/// The units that a system declares.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Declared {
    files: BTreeMap<String, BTreeMap<String, String>>,
    pulled: BTreeSet<String>,
}

/// The suffixes of folders whose links make one unit start another.
const PULLS: [&str; 3] = [".wants", ".requires", ".upholds"];

impl Declared {
    /// Adds a file by its path below `/etc/systemd/system`. `says` differs when the contents
    /// differ.
    pub fn add(&mut self, path: &str, says: &str) {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if PULLS.iter().any(|ending| folder.ends_with(ending)) {
            self.pulled.insert(name.to_owned());
            return;
        }
        // NixOS writes overrides of a package's unit into NAME.d/overrides.conf.
        let unit = folder.strip_suffix(".d").unwrap_or(name);
        let files = self.files.entry(unit.to_owned()).or_default();
        files.insert(path.to_owned(), says.to_owned());
    }
}

/// The difference between the units of two systems.
pub fn changed(before: &Declared, after: &Declared) -> Units {
    let only = |some: &Declared, others: &Declared| -> Vec<String> {
        some.files.keys().filter(|unit| !others.files.contains_key(*unit)).cloned().collect()
    };
    let differs =
        |(unit, files): &(&String, &_)| after.files.get(*unit).is_some_and(|other| other != *files);
    // A unit that is added or removed as a whole is not listed here again.
    let stays =
        |unit: &&String| before.files.contains_key(*unit) == after.files.contains_key(*unit);
    let pulled = |some: &Declared, others: &Declared| -> Vec<String> {
        some.pulled.difference(&others.pulled).filter(stays).cloned().collect()
    };
    Units {
        new: only(after, before),
        changed: before.files.iter().filter(differs).map(|(unit, _)| unit.clone()).collect(),
        removed: only(before, after),
        enabled: pulled(after, before),
        disabled: pulled(before, after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(files: &[(&str, &str)]) -> Declared {
        let mut declared = Declared::default();
        files.iter().for_each(|(path, says)| declared.add(path, says));
        declared
    }

    #[test]
    fn files_drop_ins_and_links_of_wants_count() {
        let before = declared(&[
            ("same.service", "1"),
            ("b.service", "1"),
            ("gone.service", "1"),
            ("multi-user.target.wants/gone.service", "1"),
            ("off.service", "1"),
            ("multi-user.target.wants/off.service", "1"),
            ("on.service", "1"),
            ("moved.service", "1"),
            ("a.target.wants/moved.service", "1"),
            ("ssh.service", "1"),
            ("ssh.service.d/overrides.conf", "1"),
            ("user@.service.d/overrides.conf", "1"),
        ]);
        let after = declared(&[
            ("same.service", "1"),
            ("b.service", "2"),
            ("new.service", "1"),
            ("multi-user.target.wants/new.service", "1"),
            ("off.service", "1"),
            ("on.service", "1"),
            ("timers.target.requires/on.service", "1"),
            ("moved.service", "1"),
            ("b.target.wants/moved.service", "1"),
            ("ssh.service", "1"),
            ("ssh.service.d/overrides.conf", "2"),
            ("user@.service.d/overrides.conf", "1"),
            ("multi-user.target.wants/getty@tty1.service", "1"),
        ]);
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            changed(&before, &after),
            Units {
                new: names(&["new.service"]),
                changed: names(&["b.service", "ssh.service"]),
                removed: names(&["gone.service"]),
                enabled: names(&["getty@tty1.service", "on.service"]),
                disabled: names(&["off.service"]),
            }
        );
        assert_eq!(changed(&after, &after), Units::default());
    }
}
