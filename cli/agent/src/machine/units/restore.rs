//! Which units a rollback must start and stop. Pure.

use super::snapshot::{Unit, Units};

/// The differences from the snapshot.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Units that were active, still exist and are not active now.
    pub to_start: Vec<String>,
    /// Units that somebody had stopped and that run now.
    pub to_stop: Vec<String>,
}

/// Compares the units after the rollback with those at `stage`.
pub fn difference(before: &Units, now: &Units) -> Difference {
    let mut difference = Difference::default();
    for (name, was) in before {
        if !is_ours_to_move(name, was) {
            continue;
        }
        // PID 1 unloads units that nothing refers to, and then does not list them. Starting such a
        // unit loads it again.
        let up = now.get(name).is_some_and(Unit::is_up);
        if was.is_active() && !up {
            difference.to_start.push(name.clone());
        }
        let stopped = was.active == "inactive" && was.load == "loaded" && was.result == "success";
        if stopped && is_service(name) && now.get(name).is_some_and(|unit| unit.is_active()) {
            let by_itself = now.get(name).is_some_and(|unit| !unit.triggered_by.is_empty());
            let once = now.get(name).is_some_and(|unit| unit.sub == "exited");
            if !by_itself && !once {
                difference.to_stop.push(name.clone());
            }
        }
    }
    difference
}

fn is_service(name: &str) -> bool {
    name.ends_with(".service")
}

/// Whether the agent may start or stop the unit. Devices, slices and scopes follow other units,
/// sessions and units without a file cannot be started again, and targets start with the units that
/// they want.
fn is_ours_to_move(name: &str, unit: &Unit) -> bool {
    let kind = name.rsplit_once('.').map_or("", |(_, kind)| kind);
    matches!(kind, "service" | "socket" | "timer" | "path" | "mount" | "swap" | "automount")
        && !unit.transient
        && !unit.fragment.is_empty()
        && !unit.fragment.starts_with("/run/systemd/transient")
        && !name.starts_with("user@")
        && !name.starts_with("user-runtime-dir@")
        && !is_connection(name, unit)
}

/// Whether a unit is one connection of a socket. It ends on its own.
fn is_connection(name: &str, unit: &Unit) -> bool {
    name.contains('@') && unit.triggered_by.iter().any(|trigger| trigger.ends_with(".socket"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(active: &str) -> Unit {
        Unit {
            load: "loaded".into(),
            active: active.into(),
            result: "success".into(),
            fragment: "/etc/systemd/system/x".into(),
            ..Unit::default()
        }
    }

    fn units(list: &[(&str, Unit)]) -> Units {
        list.iter().map(|(name, unit)| ((*name).to_owned(), unit.clone())).collect()
    }

    #[test]
    fn what_ran_is_started_and_what_the_admin_stopped_is_stopped() {
        let before = units(&[
            ("hand-started.service", unit("active")),
            ("instance@1.service", unit("active")),
            ("same.service", unit("active")),
            ("stopped.service", unit("inactive")),
            ("ran-once.service", unit("inactive")),
            ("failed.service", unit("failed")),
        ]);
        let exited = Unit { sub: "exited".into(), ..unit("active") };
        let now = units(&[
            ("instance@1.service", unit("failed")),
            ("same.service", unit("active")),
            ("stopped.service", unit("active")),
            ("ran-once.service", exited),
            ("failed.service", unit("active")),
        ]);
        assert_eq!(
            difference(&before, &now),
            Difference {
                to_start: vec!["hand-started.service".into(), "instance@1.service".into()],
                to_stop: vec!["stopped.service".into()],
            }
        );
    }

    #[test]
    fn what_cannot_be_started_again_is_left() {
        let transient = Unit { transient: true, ..unit("active") };
        let connection = Unit { triggered_by: vec!["sshd.socket".into()], ..unit("active") };
        let no_file = Unit { fragment: String::new(), ..unit("active") };
        let before = units(&[
            ("session-1.scope", unit("active")),
            ("run-u1.service", transient),
            ("sshd@1-a.service", connection),
            ("-.mount", no_file),
        ]);
        assert_eq!(difference(&before, &Units::new()), Difference::default());
    }
}
