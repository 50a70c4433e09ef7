//! Decides whether `deploy` can deploy a machine's document.

use deploy_wire::machine::{Machine, MachineError};
use serde_json::Value;

use super::fields;
use crate::error::{Failure, Result};

/// Why a document cannot be deployed.
#[derive(Debug)]
pub enum NotThis {
    /// The machine is of a kind that is not deployed. Other machines may be.
    Machine(Box<Failure>),
    /// The flake is wrong.
    Document(Box<Failure>),
    /// The command line is wrong, or not enough.
    Run(Box<Failure>),
}

/// Parses a machine's document.
pub fn deployable(
    flake: &str,
    name: &str,
    mut document: Value,
) -> std::result::Result<Machine, NotThis> {
    fields::divide_sudo(flake, name, &mut document).map_err(NotThis::Document)?;
    let machine = Machine::from_json(document).map_err(|error| match &error {
        // The platform may come from the configuration or from the node.
        MachineError::Shape { field, reason } if field == "system" => {
            let what = format!(
                "the system of {name} in `{flake}` is for a platform that deploy does not know"
            );
            NotThis::Machine(Failure::unchanged(what).because(fields::plain(reason)))
        }
        _ => NotThis::Document(fields::wrong(flake, name, &error)),
    })?;
    Ok(machine)
}

/// Refuses a profile `system` that is not root's profile at the system's own path. At another path
/// it is another system, such as a container's, which must not become the machine's.
pub fn refuse_system_elsewhere(machine: &Machine) -> Result<()> {
    const PLACE: &str = "/nix/var/nix/profiles/system";
    let name = &machine.name;
    let refused = |why: String, hint: String| {
        Err(Failure::unchanged(format!("profile `system` of {name} cannot be deployed"))
            .because("a profile `system` is root's, and holds the machine's own NixOS system")
            .because(why)
            .hint(Some(hint)))
    };
    for profile in machine.profiles.iter().filter(|profile| profile.is_system()) {
        if profile.user != "root" {
            let hint = format!("set deploy.nodes.{name}.user = \"root\"");
            return refused(format!("its user is {}", profile.user), hint);
        }
        if let Some(place) = profile.profile_path.as_ref().filter(|place| *place != PLACE) {
            let hint = "leave profilePath out if it is the machine's own system; a container's is \
                        deployed with deploy-rs, or as `containers.NAME` of the machine";
            return refused(format!("its profilePath is {place}"), hint.to_owned());
        }
    }
    Ok(())
}
