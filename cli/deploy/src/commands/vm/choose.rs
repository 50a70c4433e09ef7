//! Which machine of the flake is started.

use deploy_wire::machine::{Image, ImageKind, Machine};

use crate::{
    commands::evaluate,
    error::{Failure, Result},
    report::Report,
    stages::{
        flake::{self, Aim, Selection},
        fleet::{Fleet, overrides::Overrides},
    },
    tools::nix::Nix,
    vm::computer::Computer,
};

/// A virtual machine of the flake.
pub struct ChosenVm {
    /// Nix, which evaluated the flake.
    pub nix: Nix,
    /// The machine.
    pub machine: Machine,
    /// What starts it.
    pub image: Image,
}

/// The name of the machine that a word of the command line means, if it means one.
pub fn name(word: Option<&str>) -> Result<Option<String>> {
    let Some(word) = word else { return Ok(None) };
    let selection = flake::select(&[word.to_owned()])?;
    Ok(selection.names.and_then(|names| names.into_iter().next()).map(|name| name.name()))
}

/// Evaluates the flake and chooses.
pub async fn choose(
    word: Option<&str>,
    overrides: &Overrides,
    computer: &Computer,
    report: &Report,
) -> Result<ChosenVm> {
    let words: Vec<String> = word.map(str::to_owned).into_iter().collect();
    let selection = flake::select(&words)?.aimed_at(Aim::Look);
    let (nix, fleet) = evaluated(&selection, overrides, report).await?;
    let machines = fleet.machines;
    let machine = match (selection.names, <[Machine; 1]>::try_from(machines)) {
        (Some(_), Ok([machine])) => machine,
        (_, Ok([machine])) => only_one(vec![machine], &selection.flake, computer)?,
        (_, Err(machines)) => only_one(machines, &selection.flake, computer)?,
    };
    let image = image(&machine)?;
    Ok(ChosenVm { nix, machine, image })
}

/// Evaluates the flake. The machine is reached with our own options of ssh, and not with the flake's,
/// so any are taken.
async fn evaluated(
    selection: &Selection,
    overrides: &Overrides,
    report: &Report,
) -> Result<(Nix, Fleet)> {
    let overrides = Overrides { allow_ssh_opts: true, ..overrides.clone() };
    evaluate::fleet(selection, &overrides, report).await
}

/// The virtual machine that a machine is rehearsed as: of those whose names begin with the machine's
/// and `-vm`, the one for this computer's platform.
pub async fn of_machine(
    flake: &str,
    name: &str,
    overrides: &Overrides,
    computer: &Computer,
    report: &Report,
) -> Result<ChosenVm> {
    let selection = Selection { flake: flake.to_owned(), names: None, aim: Aim::Look };
    let (nix, fleet) = evaluated(&selection, overrides, report).await?;
    let begin = format!("{name}-vm");
    let own = fleet.machines.into_iter().filter(|machine| machine.name.starts_with(&begin));
    let machine = only_one(own.collect(), flake, computer).map_err(|failure| {
        let what = format!("{name} has no virtual machine to be rehearsed as");
        let hint = format!("it is to be called {begin}, or {begin}-PLATFORM; docs/vm.md");
        Failure::unchanged(what).because(&failure.what).hint(Some(hint))
    })?;
    let image = image(&machine)?;
    Ok(ChosenVm { nix, machine, image })
}

fn image(machine: &Machine) -> Result<Image> {
    match &machine.image {
        Some(image) if image.kind == ImageKind::Vm => Ok(image.clone()),
        _ => Err(Failure::unchanged(format!("{} is no virtual machine", machine.name))
            .because("its `image` is not of the kind `vm`")
            .hint(Some("nixosModules.vm makes a machine one; docs/vm.md".into()))),
    }
}

/// The virtual machine for this computer's platform, if there is exactly one.
fn only_one(machines: Vec<Machine>, flake: &str, computer: &Computer) -> Result<Machine> {
    let system = computer.guest_system();
    let all: Vec<Machine> = machines.into_iter().filter(|machine| image(machine).is_ok()).collect();
    let names = |machines: &[Machine]| {
        let names: Vec<&str> = machines.iter().map(|machine| machine.name.as_str()).collect();
        names.join(", ")
    };
    let has = names(&all);
    let fitting = all.into_iter().filter(|machine| machine.system.as_str() == system);
    match <[Machine; 1]>::try_from(fitting.collect::<Vec<_>>()) {
        Ok([machine]) => Ok(machine),
        Err(several) if several.is_empty() => Err(Failure::unchanged(format!(
            "`{flake}` has no virtual machine for {system}"
        ))
        .hint(Some(match has.as_str() {
            "" => "nixosModules.vm makes a machine one; docs/vm.md".to_owned(),
            has => format!("it has {has}: name one, and it is emulated"),
        }))),
        Err(several) => {
            Err(Failure::unchanged(format!("`{flake}` has several virtual machines for {system}"))
                .because(names(&several))
                .hint(Some("name one of them: deploy vm NAME".into())))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn machine(name: &str, system: &str, kind: Option<&str>) -> Machine {
        let package = json!({
            "drv": "/nix/store/00000000000000000000000000000000-x.drv",
            "out": "/nix/store/11111111111111111111111111111111-x",
        });
        let mut document = json!({
            "version": 1, "name": name, "system": system, "hostName": name, "toplevel": package,
            "ssh": { "hostname": "127.0.0.1" },
        });
        if let Some(kind) = kind {
            document["image"] = package.clone();
            document["image"]["kind"] = kind.into();
        }
        Machine::from_json(document).unwrap()
    }

    fn chosen(names: &[&str]) -> std::result::Result<String, String> {
        let all = [
            machine("frame1", "x86_64-linux", None),
            machine("frame1-vm", "aarch64-linux", Some("vm")),
            machine("frame1-vm-x86", "x86_64-linux", Some("vm")),
            machine("other-vm", "x86_64-linux", Some("vm")),
            machine("iso", "x86_64-linux", Some("iso")),
        ];
        let some = all.into_iter().filter(|machine| names.contains(&machine.name.as_str()));
        let computer = crate::vm::computer::tests::linux(None);
        let chosen = only_one(some.collect(), ".", &computer);
        chosen.map(|machine| machine.name).map_err(|failure| failure.to_string())
    }

    #[test]
    fn the_virtual_machine_for_this_platform_is_chosen() {
        let chose = chosen(&["frame1", "frame1-vm", "frame1-vm-x86", "iso"]);
        assert_eq!(chose.unwrap(), "frame1-vm-x86");
        let none = chosen(&["frame1", "frame1-vm"]).unwrap_err();
        assert!(none.contains("has no virtual machine for x86_64-linux"), "{none}");
        assert!(none.contains("it has frame1-vm: name one, and it is emulated"), "{none}");
        assert!(chosen(&["frame1", "iso"]).unwrap_err().contains("nixosModules.vm"));
        let several = chosen(&["frame1-vm-x86", "other-vm"]).unwrap_err();
        assert!(several.contains("cause: frame1-vm-x86, other-vm"), "{several}");
    }

    #[test]
    fn a_machine_without_an_image_is_no_virtual_machine() {
        let refused = image(&machine("frame1", "x86_64-linux", None)).unwrap_err().to_string();
        assert!(refused.contains("frame1 is no virtual machine"), "{refused}");
    }
}
