//! Real NixOS systems that are evaluated and built once, when hosts are prepared. Evaluating one
//! takes longer than deploying it, and only the deploy is under test.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::baseline::{self, Loader};
use super::faults::Fault;
use super::files;
use super::fleet::{FOLDER, write_to_host};
use super::prepared::Prepared;
use super::real::{Module, RealFleet};
use crate::hosts::Host;

/// Like [`super::REAL`], but `mac` has every [`Ready`] system, and `frame1` runs [`Ready::Before`].
pub const READY: Prepared = Prepared {
    name: "ready",
    recipe: files::READY_RECIPE,
    inputs: &["nixpkgs-real"],
    make: |lab| {
        let [mac, frame1] = baseline::pair(lab)?;
        let systems = build(&mac)?;
        mac.write(BUILT, serde_json::to_string_pretty(&systems)?, 0o644)?;
        Ready::Before.copy(&mac, &frame1)?;
        baseline::install_system(&frame1, &Ready::Before.path(&mac)?, Loader::Grub)
    },
};

/// The file on `mac` that lists the built systems.
const BUILT: &str = "/root/ready.json";

/// A built system of frame1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// The system that frame1 runs first. Only this one has a mount at /mnt/kept.
    Before,
    /// A second working system.
    Wanted,
    /// A third working system.
    Third,
    /// A system that another tool switches to.
    Other,
    /// A system whose closure takes long to push.
    Large,
    /// A system with another kernel, of 2 MiB.
    OtherKernel,
    /// A system whose sshd rejects every new login.
    RefusedLogins,
    /// A system with a mount that fails.
    FailingMount,
}

/// A system that is built.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Built {
    drv: String,
    out: String,
}

/// Gives each switch something to stop and to start.
const NUMBERED: &str = "ExecStart=/run/current-system/sw/bin/sleep infinity\nEnvironment=NUMBER=";

const KEPT: &str = "fileSystems.\"/mnt/kept\" = { device = \"none\"; fsType = \"tmpfs\"; };";

/// Makes a push take a while.
const BALLAST: &str = "environment.etc.ballast.source = pkgs.runCommand \"ballast\" { } \
                       \"head -c 8388608 /dev/urandom > $out\";";

/// Replaces the kernel that all systems have.
const KERNEL: &str = "system.extraSystemBuilderCmds = lib.mkAfter \"ln -sf ${pkgs.runCommand \
                      \"kernel-6.13\" { } \"mkdir $out; yes 6.13 | head -c 2097152 > \
                      $out/kernel\"}/kernel $out/kernel\";";

impl Ready {
    const ALL: [Self; 8] = [
        Self::Before,
        Self::Wanted,
        Self::Third,
        Self::Other,
        Self::Large,
        Self::OtherKernel,
        Self::RefusedLogins,
        Self::FailingMount,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Wanted => "wanted",
            Self::Third => "third",
            Self::Other => "other",
            Self::Large => "large",
            Self::OtherKernel => "other-kernel",
            Self::RefusedLogins => "refused-logins",
            Self::FailingMount => "failing-mount",
        }
    }

    fn module(self) -> Module {
        let number = match self {
            Self::Before => 1,
            Self::Third => 3,
            Self::Other => 9,
            _ => 2,
        };
        let module = Module::new(number)
            .line("networking.hostName = \"frame1\";")
            .service("numbered", &format!("{NUMBERED}{number}"));
        match self {
            Self::Before => module.line(KEPT),
            Self::Wanted | Self::Third | Self::Other => module,
            Self::Large => module.line(BALLAST),
            Self::OtherKernel => module.line(KERNEL),
            Self::RefusedLogins => module.with(&Fault::RefusedLogins),
            Self::FailingMount => module.with(&Fault::FailingMount),
        }
    }

    fn built(self, operator: &Host) -> Result<Built> {
        let mut all: BTreeMap<String, Built> = serde_json::from_str(&operator.read(BUILT)?)?;
        all.remove(self.word()).with_context(|| format!("{BUILT} does not have {self:?}"))
    }

    /// The system's path.
    ///
    /// # Errors
    /// When `operator` is not of [`READY`].
    pub fn path(self, operator: &Host) -> Result<String> {
        Ok(self.built(operator)?.out)
    }

    /// Writes a flake to [`super::FOLDER`] on `operator` with this system as frame1's and these
    /// settings of frame1's node, and commits it.
    ///
    /// # Errors
    /// When `operator` is not of [`READY`], the folder cannot be written, or git fails.
    pub fn write(self, operator: &Host, node: &Map<String, Value>) -> Result<()> {
        let built = self.built(operator)?;
        let mut all = json!({
            "hostname": "frame1",
            "hostName": "frame1",
            "sshUser": "root",
            "system": "x86_64-linux",
            "toplevel": { "drvPath": built.drv, "outPath": built.out },
        });
        all.as_object_mut().context("an object")?.extend(node.clone());
        let node = serde_json::to_string_pretty(&all)?;
        let mut files = vec![("frame1.json".to_owned(), node, 0o644)];
        files.extend(
            files::READY.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned(), 0o644)),
        );
        write_to_host(operator, files)
    }

    /// Copies the closure to the store of `machine`.
    ///
    /// # Errors
    /// When the operator cannot log in as root.
    pub fn copy(self, operator: &Host, machine: &Host) -> Result<()> {
        let (name, system) = (machine.name(), self.path(operator)?);
        operator.sh(&format!("nix copy --no-check-sigs --to ssh-ng://root@{name} {system}"))?;
        // Nix does not sync.
        machine.sync()
    }
}

/// Builds all systems on `operator`, from a temporary flake.
fn build(operator: &Host) -> Result<BTreeMap<&'static str, Built>> {
    let fleet = Ready::ALL
        .into_iter()
        .fold(RealFleet::default(), |fleet, system| fleet.machine(system.word(), system.module()));
    fleet.write(operator)?;
    let mut all = BTreeMap::new();
    for system in Ready::ALL {
        let word = system.word();
        let attribute = format!("{FOLDER}#nixosConfigurations.{word}.config.system.build.toplevel");
        let says = "system: { drv = system.drvPath; out = system.outPath; }";
        let built = operator.sh(&format!("nix eval --json '{attribute}' --apply '{says}'"))?;
        let built: Built = serde_json::from_str(&built)?;
        operator.sh(&format!("nix build --no-link '{}^out'", built.drv))?;
        all.insert(word, built);
    }
    operator.sh(&format!("rm -r {FOLDER}"))?;
    Ok(all)
}
