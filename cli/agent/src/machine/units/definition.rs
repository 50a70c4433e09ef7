//! Whether two systems define a unit differently.

use std::{
    fs,
    path::{Path, PathBuf},
};

use deploy_wire::store_path::StorePath;

const UNITS: &str = "etc/systemd/system";

/// The unit definitions of two systems.
pub struct Definitions {
    before: PathBuf,
    after: PathBuf,
}

impl Definitions {
    /// The definitions of the previous and of the wanted system.
    pub fn of(ran: &StorePath, wanted: &StorePath) -> Self {
        let folder = |toplevel: &StorePath| Path::new(toplevel.as_str()).join(UNITS);
        Self { before: folder(ran), after: folder(wanted) }
    }

    /// Whether the two systems define a unit differently.
    pub fn differ(&self, unit: &str) -> bool {
        text(&self.before, unit) != text(&self.after, unit)
    }
}

/// Whether a system has a unit, or its template if it is an instance.
pub fn brings(toplevel: &StorePath, unit: &str) -> bool {
    let folder = Path::new(toplevel.as_str()).join(UNITS);
    file(&folder, unit).is_some()
}

/// `foo@.service` for `foo@bar.service`.
fn template(unit: &str) -> Option<String> {
    let (name, rest) = unit.split_once('@')?;
    let (_, kind) = rest.rsplit_once('.')?;
    Some(format!("{name}@.{kind}"))
}

fn file(folder: &Path, unit: &str) -> Option<PathBuf> {
    [Some(unit.to_owned()), template(unit)]
        .into_iter()
        .flatten()
        .map(|name| folder.join(name))
        .find(|path| path.symlink_metadata().is_ok())
}

/// The text of the unit's file and its drop-ins, concatenated.
fn text(folder: &Path, unit: &str) -> Vec<u8> {
    let mut text = file(folder, unit).and_then(|path| fs::read(path).ok()).unwrap_or_default();
    for name in [Some(unit.to_owned()), template(unit)].into_iter().flatten() {
        let mut drop_ins: Vec<PathBuf> = fs::read_dir(folder.join(format!("{name}.d")))
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .collect();
        drop_ins.sort();
        for path in drop_ins {
            text.extend(fs::read(path).unwrap_or_default());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drop_in_and_a_template_are_parts_of_a_definition() {
        let folder = tempfile::tempdir().unwrap();
        let (before, after) = (folder.path().join("before"), folder.path().join("after"));
        for system in [&before, &after] {
            fs::create_dir_all(system.join("a@.service.d")).unwrap();
            fs::write(system.join("a@.service"), "same").unwrap();
        }
        let both = Definitions { before, after };
        assert!(!both.differ("a@1.service"));
        fs::write(both.after.join("a@.service.d/x.conf"), "new").unwrap();
        assert!(both.differ("a@1.service"));
        assert!(!both.differ("b.service"));
        fs::write(both.after.join("b.service"), "new").unwrap();
        assert!(both.differ("b.service"));
    }
}
