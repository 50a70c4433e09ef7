//! The files of `cli/lab/systems`, embedded in the program. Prepared hosts are created again when
//! one of them changes.

use crate::hosts::BOOT_STEP;

/// A file's path below `cli/lab/systems`, and its text.
pub(super) type File = (&'static str, &'static str);

macro_rules! systems {
    ($($path:literal),+ $(,)?) => {
        /// The files of every flake's folder `systems`.
        pub(super) const SYSTEMS: &[File] =
            &[$(($path, include_str!(concat!("../../systems/", $path)))),+];

        /// Everything that determines a host with an installed system.
        pub(super) const RECIPE: &[&str] = &[
            FLAKE,
            INSTALL,
            BOOT_STEP,
            include_str!("baseline.rs"),
            include_str!("real.rs"),
            REAL[0].1,
            REAL[1].1,
            include_str!("fleet.rs"),
            include_str!("generation.rs"),
            include_str!("../hosts/access.rs"),
            $(include_str!(concat!("../../systems/", $path))),+
        ];

        /// Like [`RECIPE`], for hosts with real systems that are already built.
        pub(super) const READY_RECIPE: &[&str] = &[
            INSTALL,
            BOOT_STEP,
            include_str!("baseline.rs"),
            include_str!("faults.rs"),
            include_str!("fleet.rs"),
            include_str!("ready.rs"),
            include_str!("real.rs"),
            REAL[0].1,
            REAL[1].1,
            include_str!("../hosts/access.rs"),
            $(include_str!(concat!("../../systems/", $path))),+
        ];
    };
}

systems![
    "activatable.sh",
    "deploy-rs.nix",
    "nixos.nix",
    "raw/default.nix",
    "raw/image.sh",
    "raw/link-tree.sh",
    "raw/links-to-root.sh",
    "raw/services/http",
    "raw/toplevel.sh",
    "raw/units.nix",
    "switch/Bus.pm",
    "switch/Changes.pm",
    "switch/Lists.pm",
    "switch/Say.pm",
    "switch/UnitFile.pm",
    "switch/activate",
    "switch/dry-activate",
    "switch/hold",
    "switch/loader/extlinux",
    "switch/loader/grub",
    "switch/loader/install",
    "switch/loader/systemd-boot",
    "switch/make-users",
    "switch/pre-switch-check",
    "switch/setup-etc",
    "switch/switch-to-configuration",
];

/// The flake of systems made without nixpkgs.
pub(super) const FLAKE: &str = include_str!("../../systems/flake/flake.nix");

/// The flake of real NixOS systems and their common modules.
pub(super) const REAL: &[File] = &[
    ("flake.nix", include_str!("../../systems/real/flake.nix")),
    ("machine.nix", include_str!("../../systems/real/machine.nix")),
];

/// The flake of a real NixOS system that is already built.
pub(super) const READY: &[File] = &[("flake.nix", include_str!("../../systems/ready/flake.nix"))];

/// The flake of real NixOS systems with this repository's services.
pub(super) const SERVICES: &[File] = &[
    ("flake.nix", include_str!("../../systems/services/flake.nix")),
    ("machine.nix", include_str!("../../systems/real/machine.nix")),
    ("services.nix", include_str!("../../systems/services/services.nix")),
    ("host.nix", include_str!("../../systems/services/host.nix")),
];

/// The flake of a real NixOS system with secrets.
pub(super) const AGENIX: &[File] = &[
    ("flake.nix", include_str!("../../systems/services/flake.nix")),
    ("machine.nix", include_str!("../../systems/real/machine.nix")),
    ("services.nix", include_str!("../../systems/agenix/services.nix")),
];

/// The flake of a fleet of two machines, where a service of one uses a service of the other.
pub(super) const SEVERAL: &[File] = &[
    ("flake.nix", include_str!("../../systems/services/several/flake.nix")),
    ("fleet.nix", include_str!("../../systems/services/several/fleet.nix")),
    ("frame1.nix", include_str!("../../systems/services/several/frame1.nix")),
    ("frame2.nix", include_str!("../../systems/services/several/frame2.nix")),
    ("machine.nix", include_str!("../../systems/real/machine.nix")),
    ("host.nix", include_str!("../../systems/services/host.nix")),
];

/// Determines hosts with these services. This repository's modules are not part of it, because a
/// test writes them again.
pub(super) const SERVICES_RECIPE: &[&str] = &[
    SERVICES[0].1,
    SERVICES[1].1,
    SERVICES[2].1,
    SERVICES[3].1,
    OVERLAY[0].1,
    OVERLAY[1].1,
    include_str!("../hosts/base/services.sh"),
    include_str!("real.rs"),
    INSTALL,
    BOOT_STEP,
];

/// Determines hosts without an installed system.
pub(super) const PAIR_RECIPE: &[&str] =
    &[include_str!("baseline.rs"), include_str!("../hosts/access.rs")];

/// Additional files for a copy of a stand-in.
const OVERLAY: &[File] = &[
    ("default.nix", include_str!("../../systems/nixpkgs/default.nix")),
    ("lab/overlay.nix", include_str!("../../systems/nixpkgs/overlay.nix")),
];

/// The module that makes the stand-in's systems switchable.
const STANDIN: &[File] = &[
    ("standin/default.nix", include_str!("../../systems/standin/default.nix")),
    ("standin/programs/answer", include_str!("../../systems/standin/programs/answer")),
    ("standin/programs/certificate", include_str!("../../systems/standin/programs/certificate")),
    ("standin/programs/listen", include_str!("../../systems/standin/programs/listen")),
    ("standin/stubs.nix", include_str!("../../systems/standin/stubs.nix")),
    ("standin/sudoers.nix", include_str!("../../systems/standin/sudoers.nix")),
    ("standin/units.nix", include_str!("../../systems/standin/units.nix")),
];

/// Determines hosts with an installed system of the repository's own flake. The flake is not part
/// of it, because a test writes it again and then builds the changes.
pub(super) const HOMELAB_RECIPE: &[&str] = &[
    INSTALL,
    BOOT_STEP,
    include_str!("homelab.rs"),
    include_str!("nixpkgs.rs"),
    OVERLAY[0].1,
    OVERLAY[1].1,
    STANDIN[0].1,
    STANDIN[4].1,
    STANDIN[5].1,
    STANDIN[6].1,
    include_str!("../hosts/access.rs"),
    include_str!("../hosts/network.rs"),
];

/// The stand-in's module and its files, with their modes.
pub(super) fn standin() -> Vec<(String, String, u32)> {
    STANDIN.iter().chain(SYSTEMS).map(with_mode).collect()
}

/// The overlay with the agent, for a copy of a stand-in.
pub(super) fn overlay() -> Vec<(String, String, u32)> {
    OVERLAY.iter().map(with_mode).collect()
}

fn with_mode((path, text): &File) -> (String, String, u32) {
    ((*path).to_owned(), (*text).to_owned(), mode(path))
}

/// Makes a plain host run a system.
pub(super) const INSTALL: &str = include_str!("../../systems/install");

/// The mode of a file. Only programs are executable.
pub(super) fn mode(path: &str) -> u32 {
    let programs = ["raw/services/http", "standin/programs/answer", "standin/programs/listen"];
    if programs.contains(&path) { 0o755 } else { 0o644 }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{STANDIN, SYSTEMS};

    fn walk(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }

    #[test]
    fn every_file_is_in_a_table() {
        let systems = Path::new(env!("CARGO_MANIFEST_DIR")).join("systems");
        let mut found = Vec::new();
        for folder in ["raw", "standin", "switch"] {
            walk(&systems.join(folder), &mut found);
        }
        for path in found {
            let name = path.strip_prefix(&systems).unwrap().to_str().unwrap();
            assert!(
                SYSTEMS.iter().chain(STANDIN).any(|(path, _)| *path == name),
                "{name} is not in SYSTEMS"
            );
        }
    }
}
