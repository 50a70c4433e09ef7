//! A machine as a virtual machine on the operator's computer: a folder beside the machine's own.

use super::{fleet_call::FleetCall, folder::ModuleFile};

/// The operator's computer, as far as it decides about the virtual machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeskKind {
    /// Linux on x86-64.
    LinuxX86,
    /// Linux on Arm.
    LinuxArm,
    /// A Mac with Apple silicon.
    MacArm,
    /// An older Mac.
    MacX86,
}

impl DeskKind {
    /// This computer.
    pub fn here() -> Self {
        let is_mac = std::env::consts::OS == "macos";
        match (is_mac, std::env::consts::ARCH == "aarch64") {
            (false, false) => Self::LinuxX86,
            (false, true) => Self::LinuxArm,
            (true, true) => Self::MacArm,
            (true, false) => Self::MacX86,
        }
    }

    fn platform(self) -> &'static str {
        match self {
            Self::LinuxX86 | Self::MacX86 => "x86_64-linux",
            Self::LinuxArm | Self::MacArm => "aarch64-linux",
        }
    }

    /// What a Mac needs besides.
    fn settings(self) -> String {
        let darwin = match self {
            Self::LinuxX86 | Self::LinuxArm => return String::new(),
            Self::MacArm => "aarch64-darwin",
            Self::MacX86 => "x86_64-darwin",
        };
        format!(
            "  # What starts it is built for the computer that starts it.\n  \
             virtualisation.host.pkgs = inputs.nixpkgs.legacyPackages.{darwin};\n  \
             # The name server that QEMU offers does not answer on macOS.\n  \
             networking.nameservers = [ \"1.1.1.1\" ];\n"
        )
    }
}

/// The name of a machine's virtual machine, by which `deploy --rehearse` finds it.
pub fn name_of(machine: &str) -> String {
    format!("{machine}-vm")
}

/// The files of its folder.
pub fn files(machine: &str, fleet: &FleetCall, desk: DeskKind) -> Vec<ModuleFile> {
    let (module, platform, settings) = (module(&fleet.library), desk.platform(), desk.settings());
    let text = format!(
        "# {machine} as a virtual machine on your computer: deploy vm {machine}-vm\n\
         {{ inputs, lib, ... }}:\n{{\n  imports = [\n    ../{machine}\n    {module}\n  ];\n\n  \
         nixpkgs.hostPlatform = lib.mkForce \"{platform}\";\n{settings}  virtualisation = {{\n    \
         memorySize = 4096;\n    diskSize = 20 * 1024;\n  }};\n\n  # Its disk is not {machine}'s.\n  \
         disko.enableConfig = lib.mkForce false;\n  # It is deployed to by its name alone.\n  \
         deploy.tags = lib.mkForce [ \"manual\" ];\n  # deploy vm leads this port to the proxy.\n  \
         homelab.proxy.publicPort = 8443;\n\n  # A password exists only here.\n  \
         users.users.root.password = \"nixos\";\n}}\n"
    );
    vec![("default.nix", text)]
}

/// `nixosModules.vm` of the flake that has the library.
fn module(library: &str) -> String {
    match library.strip_suffix(".lib") {
        Some(flake) if flake.starts_with("inputs.") => format!("{flake}.nixosModules.vm"),
        Some(input) if !input.contains('.') => format!("inputs.{input}.nixosModules.vm"),
        // The library is one of the flake's own.
        _ => "inputs.self.nixosModules.vm".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_is_of_the_flake_that_has_the_library() {
        for (library, is) in [
            ("inputs.deploy.lib", "inputs.deploy.nixosModules.vm"),
            ("d.lib", "inputs.d.nixosModules.vm"),
            ("flakeLib", "inputs.self.nixosModules.vm"),
        ] {
            assert_eq!(module(library), is);
        }
    }

    #[test]
    fn each_computer_gets_a_module_that_is_nix() {
        let fleet = FleetCall {
            flake: "/f".into(),
            machines: "/f/machines".into(),
            library: "inputs.deploy.lib".into(),
        };
        for desk in [DeskKind::LinuxX86, DeskKind::LinuxArm, DeskKind::MacArm, DeskKind::MacX86] {
            let [(_, text)] = &files("frame2", &fleet, desk)[..] else { panic!("it is one file") };
            let errors = rnix::Root::parse(text).errors().to_vec();
            assert!(errors.is_empty(), "{errors:?}\n{text}");
            assert_eq!(text.contains("legacyPackages"), desk.settings() != "", "{text}");
        }
        insta::assert_snapshot!(files("frame2", &fleet, DeskKind::MacArm)[0].1);
    }
}
