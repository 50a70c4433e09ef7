//! The selection of a machine's profiles, and whether they can be deployed.

use deploy_wire::machine::{Machine, Profile};

use crate::{
    error::{Failure, Result},
    stages::flake::Aim,
};

/// The profiles of a machine that the command line selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meant {
    /// All profiles.
    All,
    /// The profiles that were named behind the machine.
    These(Vec<String>),
}

impl Meant {
    /// Adds the meaning of another word about the same machine.
    pub fn and(&mut self, profile: Option<String>) {
        match (&mut *self, profile) {
            (Self::These(names), Some(name)) => names.push(name),
            _ => *self = Self::All,
        }
    }
}

/// Removes the profiles that are not selected from `machine`. Returns a warning about the others,
/// if there is one to report.
pub fn choose(machine: &mut Machine, meant: &Meant, aim: Aim) -> Result<Option<String>> {
    if let Meant::These(names) = meant {
        let has_system = machine.toplevel.is_some();
        let is_there = |name: &str| {
            (name == Profile::SYSTEM && has_system)
                || machine.profiles.iter().any(|profile| profile.name == name)
        };
        if let Some(name) = names.iter().find(|name| !is_there(name)) {
            return Err(no_profile(machine, name));
        }
        if aim != Aim::Look {
            machine.profiles.retain(|profile| names.contains(&profile.name));
            if !names.iter().any(|name| name == Profile::SYSTEM) {
                machine.toplevel = None;
            }
        }
    }
    if aim == Aim::GoBack { goes_back(machine) } else { Ok(None) }
}

fn no_profile(machine: &Machine, name: &str) -> Box<Failure> {
    let mut has: Vec<&str> = machine.profiles.iter().map(|it| it.name.as_str()).collect();
    if machine.toplevel.is_some() && !has.contains(&Profile::SYSTEM) {
        has.insert(0, Profile::SYSTEM);
    }
    Failure::unchanged(format!("{} has no profile `{name}`", machine.name))
        .hint(Some(format!("it has: {}", has.join(", "))))
}

/// Removes the profiles for a rollback of the system. It is not known which generation of a profile
/// belonged to an earlier system.
fn goes_back(machine: &mut Machine) -> Result<Option<String>> {
    let name = &machine.name;
    if machine.toplevel.is_none() {
        return Err(Failure::unchanged(format!("{name} has no system to go back to here"))
            .because("a rollback takes a machine back to an earlier system")
            .hint(Some(
                "of a profile: nix-env --profile LINK --rollback there, as its user".into(),
            )));
    }
    let others: Vec<String> = machine.other_profiles().iter().map(ToString::to_string).collect();
    machine.profiles.retain(Profile::is_system);
    let stay = |stays: &str| format!("{}: {} {stays} as it is", machine.name, others.join(", "));
    Ok(match others.len() {
        0 => None,
        1 => Some(stay("stays")),
        _ => Some(stay("each stay")),
    })
}

/// Removes all profiles for the option `what`, which is about systems. Returns a line for each
/// machine whose profiles stay.
pub fn systems_alone(machines: &mut [Machine], what: &str) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for machine in machines {
        let others: Vec<String> =
            machine.other_profiles().iter().map(ToString::to_string).collect();
        let (name, others) = (&machine.name, others.join(", "));
        if machine.toplevel.is_none() {
            return Err(Failure::unchanged(format!("{others} on {name} cannot be deployed so"))
                .because(format!("{what} is about systems")));
        }
        if !others.is_empty() {
            lines.push(format!("{name}: {others} not deployed: {what} is about systems"));
        }
        machine.profiles.retain(Profile::is_system);
    }
    Ok(lines)
}

/// Refuses profiles that cannot be deployed as the flake describes them.
pub fn refuse_undeployable(machine: &Machine) -> Result<()> {
    for profile in machine.other_profiles() {
        let refused = |why: String, hint: String| {
            Err(Failure::unchanged(format!("{profile} on {} cannot be deployed", machine.name))
                .because(why)
                .hint(Some(hint)))
        };
        let (node, name) = (&machine.name, &profile.name);
        let field = format!("deploy.nodes.{node}.profiles.{name}");
        if profile.user.is_empty() {
            let what = format!("profile `{name}` of {node} cannot be deployed");
            return Err(Failure::unchanged(what)
                .because("neither `user` nor `sshUser` is set")
                .hint(Some(format!("{field}.user names its owner"))));
        }
        if name.contains('/') || name.starts_with('.') {
            return refused("its name is no name of a file".into(), format!("rename {field}"));
        }
        // A shell or `getent` would read such a name differently.
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
        if profile.user.starts_with('-') || !profile.user.chars().all(plain) {
            return refused(
                format!("`{}` is no user's name", profile.user),
                format!("{field}.user names its owner"),
            );
        }
        let Some(place) = &profile.profile_path else { continue };
        if !place.starts_with('/') || place.ends_with('/') {
            let why = format!("its profilePath `{place}` is no absolute path of a link");
            return refused(
                why,
                format!("leave {field}.profilePath out for deploy-rs's own place"),
            );
        }
        if is_the_system(place) {
            return refused(
                format!("its profilePath {place} is the system's own link"),
                format!("the machine's system is deploy.nodes.{node}.profiles.system"),
            );
        }
    }
    Ok(())
}

/// Whether a path is the system profile's, by its text. The agent checks again on the machine.
fn is_the_system(place: &str) -> bool {
    let mut parts: Vec<&str> = Vec::new();
    for part in place.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts == ["nix", "var", "nix", "profiles", "system"]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_s_place_is_known_however_it_is_written() {
        for place in [
            "/nix/var/nix/profiles/system",
            "//nix/var/nix/./profiles/system",
            "/nix/var/nix/profiles/per-user/../system",
        ] {
            assert!(is_the_system(place), "{place}");
        }
        for place in
            ["/nix/var/nix/profiles/system-api", "/nix/var/nix/profiles/per-user/root/system"]
        {
            assert!(!is_the_system(place), "{place}");
        }
    }

    #[test]
    fn words_about_one_machine_are_taken_together() {
        let mut meant = Meant::These(vec!["home".into()]);
        meant.and(Some("api".into()));
        assert_eq!(meant, Meant::These(vec!["home".into(), "api".into()]));
        meant.and(None);
        assert_eq!(meant, Meant::All);
        meant.and(Some("api".into()));
        assert_eq!(meant, Meant::All);
    }
}
