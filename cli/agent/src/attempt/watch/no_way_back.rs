//! Services that must not go back, because the previous programs cannot read the data of the new
//! ones.

use deploy_wire::{
    machine::{CheckKind, RollBackKind},
    record::Rules,
};

use crate::machine::units::snapshot::{Unit, Units};

/// The first such service that the new system started, with its unit. `before` are the units at
/// `stage`; without them (after another boot) every active unit counts.
pub fn started(rules: &Rules, before: Option<&Units>, now: &Units) -> Option<(String, String)> {
    let kept = rules.rollback.services.iter().filter(|(_, kind)| **kind == RollBackKind::Unsafe);
    kept.flat_map(|(service, _)| units(rules, service).map(move |unit| (service.clone(), unit)))
        .find(|(_, unit)| now.get(unit).is_some_and(|now| is_new(before, unit, now)))
}

/// Whether a unit was started since `stage`. A unit that failed counts too, because it may have
/// changed its data.
fn is_new(before: Option<&Units>, unit: &str, now: &Unit) -> bool {
    let Some(before) = before else { return now.is_up() };
    let then = before.get(unit).map_or("", |unit| unit.invocation.as_str());
    !now.invocation.is_empty() && now.invocation != then
}

/// The units of a service: the one with its name, and those that its checks name.
fn units<'r>(rules: &'r Rules, service: &'r str) -> impl Iterator<Item = String> + 'r {
    let checked = rules.checks.iter().filter(move |check| check.service == service);
    let checked = checked.filter_map(|check| match &check.kind {
        CheckKind::Unit { unit } => Some(unit.clone()),
        _ => None,
    });
    std::iter::once(format!("{service}.service")).chain(checked)
}

#[cfg(test)]
mod tests {
    use deploy_wire::machine::{Check, Level, RollBack};

    use super::*;

    fn rules(kind: RollBackKind) -> Rules {
        let services = [("photos".to_owned(), kind)].into();
        Rules {
            rollback: RollBack { services, reboot: true },
            checks: vec![Check {
                name: "photos runs".into(),
                service: "photos".into(),
                level: Level::Required,
                grace: 0,
                kind: CheckKind::Unit { unit: "photos-server.service".into() },
            }],
            ..Rules::default()
        }
    }

    fn units(list: &[(&str, &str)]) -> Units {
        let unit = |invocation: &str| Unit {
            invocation: invocation.into(),
            active: "active".into(),
            ..Unit::default()
        };
        list.iter().map(|(name, invocation)| ((*name).to_owned(), unit(invocation))).collect()
    }

    #[test]
    fn a_unit_that_was_started_anew_bars_the_way() {
        let rules = rules(RollBackKind::Unsafe);
        let before = units(&[("photos.service", "a"), ("photos-server.service", "b")]);
        assert_eq!(started(&rules, Some(&before), &before), None);
        for (unit, now) in [
            ("photos.service", units(&[("photos.service", "x"), ("photos-server.service", "b")])),
            (
                "photos-server.service",
                units(&[("photos.service", "a"), ("photos-server.service", "x")]),
            ),
        ] {
            let found = started(&rules, Some(&before), &now);
            assert_eq!(found, Some(("photos".into(), unit.into())));
        }
        // A unit that did not run before and is stopped now is no reason.
        assert!(started(&rules, Some(&Units::new()), &before).is_some());
        let stopped = units(&[("photos.service", "")]);
        assert_eq!(started(&rules, Some(&before), &stopped), None);
        assert!(started(&rules, None, &before).is_some());
    }

    #[test]
    fn a_safe_service_bars_nothing() {
        let now = units(&[("photos.service", "x")]);
        assert_eq!(started(&rules(RollBackKind::Safe), Some(&Units::new()), &now), None);
    }
}
