//! The Nix modules of a machine's folder.

use super::{folder::ModuleFile, services::OfferedService};

/// A machine whose folder is written.
#[derive(Debug, Clone)]
pub struct MachineModules {
    /// Its name.
    pub name: String,
    /// Its platform.
    pub platform: String,
    /// The release that it is or was installed with.
    pub release: String,
    /// The address for logins.
    pub address: String,
    /// The port for logins, if it is another one than 22.
    pub port: Option<u16>,
    /// The user for logins, who becomes root by sudo.
    pub user: String,
    /// The path of the file with the admins' keys, from the machine's folder.
    pub keys: String,
    /// What it runs on.
    pub hardware: Hardware,
    /// Its services.
    pub services: Vec<OfferedService>,
    /// The domain of its sites.
    pub domain: Option<String>,
}

/// What a machine runs on.
#[derive(Debug, Clone)]
pub enum Hardware {
    /// A machine to be installed on this disk.
    Disk(String),
    /// A machine that runs: its `hardware.nix`, and how it boots and is in the network, each with two
    /// blanks in front of a line.
    Adopted {
        /// The text of the file.
        file: String,
        /// Lines of `default.nix`.
        settings: String,
    },
}

impl MachineModules {
    /// The files of the folder.
    pub fn files(&self) -> Vec<ModuleFile> {
        let services = super::services::module(&self.name, &self.services, self.domain.as_deref());
        let mut files = vec![("default.nix", self.default()), ("services.nix", services)];
        match &self.hardware {
            Hardware::Disk(disk) => {
                files.push(("disko.nix", self.disko(disk)));
                files.push(("hardware.nix", self.board()));
            }
            Hardware::Adopted { file, .. } => files.push(("hardware.nix", file.clone())),
        }
        files
    }

    fn is_arm(&self) -> bool {
        self.platform == "aarch64-linux"
    }

    fn default(&self) -> String {
        let Self { name, platform, release, address, user, keys, .. } = self;
        let (disko, settings) = match &self.hardware {
            Hardware::Disk(_) => ("    ./disko.nix\n", String::new()),
            Hardware::Adopted { settings, .. } => ("", settings.clone()),
        };
        let port = self.port.map(|port| format!("      port = {port};\n")).unwrap_or_default();
        // root needs no sudo, and has no group.
        let (member, sudo) = match user.as_str() {
            "root" => ("", ""),
            _ => (
                "    isNormalUser = true;\n    extraGroups = [ \"wheel\" ];\n",
                "  security.sudo.wheelNeedsPassword = false;\n",
            ),
        };
        format!(
            "# {name}. These files are yours to change.\n\
             let\n  keys = import {keys};\nin\n{{\n  imports = [\n{disko}    ./hardware.nix\n    \
             ./services.nix\n  ];\n\n  nixpkgs.hostPlatform = \"{platform}\";\n  \
             # The release that it was installed with. Services keep their data in its formats: it \
             stays.\n  system.stateVersion = \"{release}\";\n{settings}\n  \
             users.users.{user} = {{\n{member}    \
             openssh.authorizedKeys.keys = builtins.attrValues keys.admins;\n  }};\n{sudo}\n  \
             deploy = {{\n    agent.enable = true;\n    ssh = {{\n      hostname = \
             \"{address}\";\n{port}      user = \"{user}\";\n    }};\n  }};\n}}\n"
        )
    }

    fn disko(&self, disk: &str) -> String {
        match self.is_arm() {
            true => include_str!("disko-efi.nix"),
            false => include_str!("disko.nix"),
        }
        .replace("@disk@", disk)
    }

    fn board(&self) -> String {
        match self.is_arm() {
            true => include_str!("hardware-efi.nix"),
            false => include_str!("hardware.nix"),
        }
        .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffold::services::chosen;

    fn machine(platform: &str) -> MachineModules {
        MachineModules {
            name: "frame2".into(),
            platform: platform.into(),
            release: "26.05".into(),
            address: "192.168.2.50".into(),
            port: None,
            user: "admin".into(),
            keys: "../keys.nix".into(),
            hardware: Hardware::Disk("/dev/disk/by-id/ata-X".into()),
            services: chosen([]).unwrap(),
            domain: None,
        }
    }

    #[test]
    fn a_new_machine_has_four_files_that_are_nix() {
        let names = ["default.nix", "services.nix", "disko.nix", "hardware.nix"];
        for platform in ["x86_64-linux", "aarch64-linux"] {
            let files = machine(platform).files();
            assert_eq!(files.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names);
            for (name, text) in files {
                let parsed = rnix::Root::parse(&text);
                assert!(parsed.errors().is_empty(), "{name}: {:?}\n{text}", parsed.errors());
                assert!(!text.contains('@'), "{name}: {text}");
            }
        }
        insta::assert_snapshot!(machine("x86_64-linux").default());
    }

    #[test]
    fn a_machine_that_root_logs_in_to_needs_no_sudo() {
        let root =
            MachineModules { user: "root".into(), port: Some(2222), ..machine("x86_64-linux") };
        let text = root.default();
        assert!(text.contains("users.users.root = {\n    openssh"), "{text}");
        assert!(text.contains("port = 2222;") && !text.contains("sudo"), "{text}");
    }
}
