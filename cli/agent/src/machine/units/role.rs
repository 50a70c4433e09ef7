//! The role of a unit in a deploy: it decides, it is reported, or it is ignored.

use std::sync::LazyLock;

use deploy_wire::machine::{Policy, UnitGlob, Units as Rules};

use super::snapshot::Unit;

/// The consequence of a unit's failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// No consequence.
    Ignored,
    /// The failure is reported, and the system stays.
    Advisory,
    /// The machine rolls back.
    Deciding,
}

/// Units of NixOS's own modules that fail for reasons outside of the machine (a name that DNS does
/// not have yet, a network that is down) and that are tried again. docs/units.md has the reason for
/// each.
const OUTSIDE: [&str; 5] = [
    "acme-*",
    "*-wait-online.service",
    "*-wait-online@*.service",
    "*-autoconnect.service",
    "ddclient.service",
];

static OUTSIDE_GLOBS: LazyLock<Vec<UnitGlob>> =
    LazyLock::new(|| OUTSIDE.iter().filter_map(|text| UnitGlob::parse(text).ok()).collect());

/// The role of a unit; `differs` says whether the wanted system defines it differently.
pub fn role(name: &str, unit: &Unit, rules: &Rules, differs: bool) -> Role {
    let in_list = |list: &[UnitGlob]| list.iter().any(|glob| glob.matches(name));
    let by = |kind: &str| unit.triggered_by.iter().any(|trigger| trigger.ends_with(kind));
    let connection = name.contains('@') && by(".socket");
    if !is_counted(name, unit) || in_list(&rules.ignore) {
        return Role::Ignored;
    }
    // A timer or a socket's connection started the unit, not this deploy.
    if (by(".timer") || connection) && !differs {
        return Role::Ignored;
    }
    let decides = match &rules.deciding {
        _ if in_list(&rules.advisory) => false,
        Some(deciding) => in_list(deciding),
        // Units that a timer restarts are not essential.
        None => !by(".timer") && !in_list(&OUTSIDE_GLOBS),
    };
    if decides && rules.policy == Policy::Required { Role::Deciding } else { Role::Advisory }
}

/// Whether a unit can break. Units that come and go on their own do not count.
fn is_counted(name: &str, unit: &Unit) -> bool {
    let kind = name.rsplit_once('.').map_or("", |(_, kind)| kind);
    let passing = unit.transient
        || name.starts_with("user@")
        || name.starts_with("user-runtime-dir@")
        || name.starts_with("run-");
    matches!(kind, "service" | "socket" | "timer" | "path" | "mount" | "swap" | "automount")
        && !passing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(ignore: &[&str], advisory: &[&str], deciding: Option<&[&str]>) -> Rules {
        let globs =
            |list: &[&str]| list.iter().map(|text| UnitGlob::parse(text).unwrap()).collect();
        Rules {
            ignore: globs(ignore),
            advisory: globs(advisory),
            deciding: deciding.map(globs),
            ..Rules::default()
        }
    }

    #[test]
    fn the_narrowest_word_about_a_unit_decides_its_role() {
        use Role::{Advisory, Deciding, Ignored};
        let (none, timer) = (&[][..], &["x.timer"][..]);
        let sockets = &["x.socket"][..];
        for (name, triggers, changed, rules, wanted) in [
            ("caddy.service", none, true, rules(&[], &[], None), Deciding),
            ("caddy.service", none, true, rules(&["cad*"], &[], Some(&["*"])), Ignored),
            ("caddy.service", none, true, rules(&[], &["cad*"], Some(&["*"])), Advisory),
            ("caddy.service", none, true, rules(&[], &[], Some(&["caddy"])), Deciding),
            ("other.service", none, true, rules(&[], &[], Some(&["caddy"])), Advisory),
            ("acme-x.service", none, true, rules(&[], &[], None), Advisory),
            ("acme-x.service", none, true, rules(&[], &[], Some(&["acme-*"])), Deciding),
            ("tailscaled-autoconnect.service", none, true, rules(&[], &[], None), Advisory),
            ("NetworkManager-wait-online.service", none, true, rules(&[], &[], None), Advisory),
            ("x.service", timer, true, rules(&[], &[], None), Advisory),
            ("x.service", timer, true, rules(&[], &[], Some(&["x"])), Deciding),
            ("x.service", timer, false, rules(&[], &[], Some(&["x"])), Ignored),
            ("x@1.service", sockets, false, rules(&[], &[], None), Ignored),
            ("x.service", sockets, false, rules(&[], &[], None), Deciding),
            ("user@0.service", none, true, rules(&[], &[], Some(&["*"])), Ignored),
            ("run-u7.service", none, true, rules(&[], &[], None), Ignored),
            ("session-3.scope", none, true, rules(&[], &[], None), Ignored),
        ] {
            let triggered_by = triggers.iter().map(|unit| (*unit).to_owned()).collect();
            let unit = Unit { triggered_by, ..Unit::default() };
            assert_eq!(role(name, &unit, &rules, changed), wanted, "{name} {rules:?}");
        }
        let transient = Unit { transient: true, ..Unit::default() };
        assert_eq!(role("a.service", &transient, &Rules::default(), true), Ignored);
        let warn = Rules { policy: Policy::Advisory, ..Rules::default() };
        assert_eq!(role("a.service", &Unit::default(), &warn, true), Advisory);
    }

    #[test]
    fn every_pattern_of_the_default_is_one_and_is_on_the_page() {
        assert_eq!(OUTSIDE_GLOBS.len(), OUTSIDE.len());
        let page = include_str!("../../../../../docs/units.md");
        for pattern in OUTSIDE {
            assert!(page.contains(&format!("`{pattern}`")), "{pattern} is not in docs/units.md");
        }
    }
}
