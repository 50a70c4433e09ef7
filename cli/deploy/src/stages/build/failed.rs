//! Why a build failed, and what can be done.

use super::BuildTarget;
use crate::{
    error::Failure,
    tools::nix::{NixDiagnosis, NixError},
};

/// The failure of a build. `foreign` are the platforms that nothing here builds for.
pub fn failed(wanted: BuildTarget<'_>, error: NixError, foreign: Vec<String>) -> Box<Failure> {
    let BuildTarget { machine, what, .. } = wanted;
    let name = &machine.name;
    let systems = if foreign.is_empty() { machine.system.to_string() } else { foreign.join(", ") };
    let way_out = |diagnosis| match diagnosis {
        NixDiagnosis::NoWayToBuilder => Some(
            "check that `ssh BUILDER true` works without a prompt, as the user that Nix's daemon \
             runs as"
                .to_owned(),
        ),
        NixDiagnosis::NoBuilder => Some(format!(
            "nothing here builds all that it needs for {systems}; three ways out:\n\
             the machine itself: --build-on target\n\
             a builder: --build-on HOST, /etc/nix/machines, or -- --builders 'ssh-ng://HOST {}'\n\
             emulation here: boot.binfmt.emulatedSystems, or extra-platforms in nix.conf",
            foreign.first().map_or(machine.system.as_str(), String::as_str)
        )),
        _ => None,
    };
    let hint = error.diagnoses().into_iter().find_map(way_out);
    Failure::unchanged(format!("the {what} for {name} cannot be built")).because(error).hint(hint)
}

#[cfg(test)]
mod tests {
    use deploy_wire::machine::Machine;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_for_another_platform_has_its_ways_out() {
        let package = json!({
            "drv": "/nix/store/00000000000000000000000000000000-x.drv",
            "out": "/nix/store/11111111111111111111111111111111-x",
        });
        let machine = Machine::from_json(json!({
            "version": 1, "name": "frame1", "system": "x86_64-linux", "hostName": "frame1",
            "toplevel": package, "ssh": { "hostname": "frame1" },
        }))
        .unwrap();
        let target = BuildTarget::all(&machine)[0];
        let said = "a 'armv7l-linux' with features {} is required to build 'x'";
        let why = || NixError::Failed(said.into());
        let part = failed(target, why(), vec!["armv7l-linux".into()]).to_string();
        assert!(part.contains("all that it needs for armv7l-linux; three ways out"), "{part}");
        assert!(part.contains("ssh-ng://HOST armv7l-linux"), "{part}");
        let whole = failed(target, why(), Vec::new()).to_string();
        assert!(whole.contains("ssh-ng://HOST x86_64-linux"), "{whole}");
    }
}
