//! Looking at the units every second. Only the units that changed since the last look are queried
//! in full. Otherwise PID 1 would get two thousand questions per look on a machine with 300 units.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Result;

use super::snapshot::{self, KINDS, Snapshot, Unit, Units};
use crate::tools::pid1::{self, Listed, Which};

/// systemd keeps a link `invocation:UNIT` here to the invocation of each unit that started a
/// process (`unit_export_invocation_id` in its src/core/unit.c). journald reads these links.
const INVOCATIONS: &str = "/run/systemd/units";

/// The values that show that a unit changed. A unit that ended and runs again between two looks has
/// the same states, but another invocation.
type UnitMark = ([String; 3], Option<String>);

/// The units at the last look.
#[derive(Debug)]
pub struct Watched {
    units: Units,
    marks: BTreeMap<String, UnitMark>,
}

impl Watched {
    /// The state before the first look. Units that were inactive at `stage` and still are need no
    /// query, since they did not fail. All others are queried, because a failed reload leaves no
    /// mark.
    pub fn since(before: &Snapshot) -> Self {
        let inactive = before.units.iter().filter(|(_, unit)| unit.active == "inactive");
        let marks = inactive.map(|(name, unit)| (name.clone(), mark_of(unit))).collect();
        Self { units: before.units.clone(), marks }
    }

    /// The present units.
    pub fn look(&mut self) -> Result<&Units> {
        // Read the marks first. A unit that changes in between is then queried again at the next
        // look.
        let marks = marks()?;
        let changed = changed(&self.marks, &marks);
        let fresh = match changed.is_empty() {
            true => Units::new(),
            false => snapshot::of(Which::Named(&changed))?,
        };
        self.units.retain(|name, _| marks.contains_key(name));
        self.units.extend(fresh);
        self.marks = marks;
        Ok(&self.units)
    }
}

/// The mark of a unit without a process.
fn mark_of(unit: &Unit) -> UnitMark {
    ([unit.load.clone(), unit.active.clone(), unit.sub.clone()], None)
}

fn changed<'m>(
    before: &BTreeMap<String, UnitMark>,
    now: &'m BTreeMap<String, UnitMark>,
) -> Vec<&'m str> {
    let changed = now.iter().filter(|(name, mark)| before.get(*name) != Some(*mark));
    changed.map(|(name, _)| name.as_str()).collect()
}

fn marks() -> Result<BTreeMap<String, UnitMark>> {
    let units = pid1::units(Which::Matching(&KINDS))?.into_iter();
    let mark = |Listed { name, load, active, sub, .. }| {
        let link = Path::new(INVOCATIONS).join(format!("invocation:{name}"));
        let invocation = fs::read_link(link).ok();
        let invocation = invocation.map(|link| link.to_string_lossy().into_owned());
        (name, ([load, active, sub], invocation))
    };
    Ok(units.map(mark).collect())
}

#[cfg(test)]
mod tests {
    use deploy_wire::record::Boot;

    use super::*;

    fn mark(sub: &str, invocation: &str) -> UnitMark {
        (["loaded".into(), "active".into(), sub.into()], Some(invocation.into()))
    }

    #[test]
    fn a_unit_is_asked_about_when_its_state_or_its_invocation_is_another() {
        let before = BTreeMap::from([
            ("a.service".to_owned(), mark("running", "1")),
            ("b.service".to_owned(), mark("running", "2")),
            ("c.service".to_owned(), mark("running", "3")),
            ("gone.service".to_owned(), mark("running", "4")),
        ]);
        let now = BTreeMap::from([
            ("a.service".to_owned(), mark("running", "1")),
            ("b.service".to_owned(), mark("auto-restart", "2")),
            ("c.service".to_owned(), mark("running", "5")),
            ("new.service".to_owned(), mark("running", "6")),
        ]);
        assert_eq!(changed(&before, &now), ["b.service", "c.service", "new.service"]);
    }

    #[test]
    fn the_first_look_leaves_out_what_was_inactive_and_still_is() {
        let unit = |active: &str| Unit {
            load: "loaded".into(),
            active: active.into(),
            sub: "dead".into(),
            ..Unit::default()
        };
        let units = ["idle", "started", "ran"].map(|name| (name.to_owned(), unit("inactive")));
        let others = [("up".to_owned(), unit("active")), ("broken".to_owned(), unit("failed"))];
        let before = Snapshot {
            boot: Boot { id: "1".into(), soft_reboots: 0 },
            at_us: 0,
            jobs: Vec::new(),
            units: units.into_iter().chain(others).collect(),
        };
        let mark = |active: &str, id: Option<&str>| -> UnitMark {
            (["loaded".into(), active.into(), "dead".into()], id.map(Into::into))
        };
        let now = BTreeMap::from([
            ("broken".to_owned(), mark("failed", None)),
            ("idle".to_owned(), mark("inactive", None)),
            ("ran".to_owned(), mark("inactive", Some("1"))),
            ("started".to_owned(), mark("active", Some("2"))),
            ("up".to_owned(), mark("active", Some("3"))),
        ]);
        let watched = Watched::since(&before);
        assert_eq!(changed(&watched.marks, &now), ["broken", "ran", "started", "up"]);
    }
}
