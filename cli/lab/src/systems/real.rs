//! A flake of real NixOS systems, as a folder on the operator's computer. It needs `nixpkgs-real`
//! from the inputs folder: NixOS's own modules with stub packages.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use super::baseline::{self, Loader};
use super::files;
use super::fleet::{FOLDER, systems, write_to_host};
use super::homelab::{self, HOMELAB_FOLDER};
use super::nixpkgs;
use super::prepared::Prepared;
use crate::hosts::{Host, Places, access};

/// The folder of the inputs on a host prepared by [`RealFleet::write`].
const INPUT: &str = "/opt/nixpkgs-real";

/// Like [`super::BASELINE`], but `frame1` runs a real NixOS system that was deployed from the flake
/// on `mac`. A test's change to it is built in seconds.
pub const REAL: Prepared = Prepared {
    name: "real",
    recipe: files::RECIPE,
    inputs: &["nixpkgs-real"],
    make: |lab| {
        let [mac, frame1] = baseline::pair(lab)?;
        RealFleet::of("frame1", Module::new(1)).write(&mac)?;
        let system = baseline::build_and_copy(&mac, &frame1)?;
        baseline::install_system(&frame1, &system, Loader::Grub)
    },
};

/// Like [`REAL`], but both hosts have the programs of this repository's services, and `frame1` runs
/// them.
pub const SERVICES: Prepared = Prepared {
    name: "services",
    recipe: files::SERVICES_RECIPE,
    inputs: &["nixpkgs-real"],
    make: |lab| {
        let [mac, frame1] = baseline::pair_with(lab, Places::Services)?;
        RealFleet::with_services(Module::new(1)).write(&mac)?;
        let system = baseline::build_and_copy(&mac, &frame1)?;
        baseline::install_system(&frame1, &system, Loader::Grub)
    },
};

/// Machines, each with its own module in addition to the common one (`systems/real/machine.nix`).
#[derive(Clone, Debug, Default)]
pub struct RealFleet {
    machines: BTreeMap<String, Module>,
    nodes: BTreeMap<String, Map<String, Value>>,
    contents: Contents,
}

/// Additional contents of the machines.
#[derive(Clone, Copy, Debug, Default)]
enum Contents {
    #[default]
    Bare,
    Services,
    Several,
}

impl RealFleet {
    /// A fleet of one machine.
    pub fn of(name: &str, module: Module) -> Self {
        Self::default().machine(name, module)
    }

    /// Adds a machine, or replaces its module.
    pub fn machine(mut self, name: &str, module: Module) -> Self {
        self.machines.insert(name.to_owned(), module);
        self
    }

    /// Adds a setting of the machine's node, such as `sshUser` or `confirmTimeout`.
    pub fn node(mut self, name: &str, key: &str, value: impl Into<Value>) -> Self {
        self.nodes.entry(name.to_owned()).or_default().insert(key.to_owned(), value.into());
        self
    }

    /// The machine `frame1` with this repository's services, declared by the modules in
    /// `systems/services`.
    pub fn with_services(module: Module) -> Self {
        Self { contents: Contents::Services, ..Self::of("frame1", module) }
    }

    /// The machines `frame1` and `frame2` as one fleet with services of this repository: `frame1`
    /// has the proxy for the sites of both, and the metrics (`systems/services/several`).
    pub fn several(number: u32) -> Self {
        let all = Self { contents: Contents::Several, ..Self::default() };
        ["frame1", "frame2"]
            .into_iter()
            .fold(all, |all, name| all.machine(name, Module::new(number)))
    }

    fn files(&self, operator: &Host) -> Result<Vec<(String, String, u32)>> {
        let shadow = operator.read("/etc/shadow")?;
        let password = shadow
            .lines()
            .filter_map(|line| line.strip_prefix("askadmin:"))
            .find_map(|rest| rest.split(':').next())
            .context("askadmin has no password on the operator's machine")?;
        let mut all = systems();
        let flake = match self.contents {
            Contents::Bare => files::REAL,
            Contents::Services => files::SERVICES,
            Contents::Several => files::SEVERAL,
        };
        for (path, text) in flake {
            let text = text
                .replace("@nixpkgs@", INPUT)
                .replace("@flake@", HOMELAB_FOLDER)
                .replace("@askadmin@", password);
            all.push(((*path).to_owned(), text, 0o644));
        }
        for (name, module) in &self.machines {
            let path = match self.contents {
                // The flake has one folder per machine.
                Contents::Several => format!("machines/{name}/default.nix"),
                Contents::Bare | Contents::Services => format!("machines/{name}.nix"),
            };
            all.push((path, module.text(), 0o644));
        }
        for (name, node) in &self.nodes {
            all.push((format!("machines/{name}.json"), serde_json::to_string_pretty(node)?, 0o644));
        }
        all.push(("key".into(), access::operator_key(operator)?, 0o644));
        Ok(all)
    }

    /// Writes the flake to [`super::FOLDER`] on `operator`, commits it, and copies the module tree
    /// (24 MB) next to it.
    ///
    /// # Errors
    /// When a folder cannot be written, git fails, or the inputs are missing.
    pub fn write(&self, operator: &Host) -> Result<()> {
        match self.contents {
            Contents::Bare => nixpkgs::copy_input(operator, "nixpkgs-real", INPUT)?,
            Contents::Services | Contents::Several => {
                homelab::write_checkout(operator)?;
                if matches!(self.contents, Contents::Several) {
                    homelab::inputs(operator)?;
                }
                // The lock file names the checkout and the agent that the hosts were prepared with.
                operator.sh(&format!("rm -f {FOLDER}/flake.lock"))?;
                nixpkgs::copy_with_agent(operator, "nixpkgs-real", INPUT)?
            }
        };
        nixpkgs::build_as_root(operator)?;
        write_to_host(operator, self.files(operator)?)
    }
}

/// A machine's own module, in addition to the common one.
#[derive(Clone, Debug)]
pub struct Module {
    lines: Vec<String>,
}

impl Module {
    /// A working system; `number` is the text of its /etc/generation.
    pub fn new(number: u32) -> Self {
        Self { lines: vec![format!("environment.etc.generation.text = \"{number}\\n\";")] }
    }

    /// Adds a definition as Nix text that ends with `;`. `lib`, `pkgs` and `config` are in scope.
    pub fn line(mut self, definition: &str) -> Self {
        self.lines.push(definition.to_owned());
        self
    }

    /// Adds a service that multi-user.target wants. `lines` are those of its `[Service]`;
    /// `@services@` in them is the folder of the lab's own programs.
    pub fn service(self, name: &str, lines: &str) -> Self {
        let lines = lines.replace("@services@", "${../systems/raw/services}");
        let text = format!("[Service]\n{lines}\n");
        self.line(&format!(
            "systemd.units.\"{name}.service\" = {{ wantedBy = [ \"multi-user.target\" ]; \
             text = ''{text}''; }};"
        ))
    }

    fn text(&self) -> String {
        format!("{{ config, lib, pkgs, ... }}:\n{{\n  {}\n}}\n", self.lines.join("\n  "))
    }
}
