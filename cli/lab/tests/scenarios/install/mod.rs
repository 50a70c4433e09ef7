//! `deploy install`: a host that is as NixOS's installer is becomes a machine, and what does not fit is
//! refused.
//!
//! The host has the installer's os-release and a root in an overlay. The kernel of a host has no disks
//! of its own, so `lsblk` prints what the scenario writes, and the disk script mounts the host's own
//! root at /mnt instead of making file systems. `nixos-install` installs the lab's systems.
//! docs/install.md says which of this was run with nixos-anywhere's own script.

pub mod refused;
pub mod runs;

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::programs::DEPLOY;
use deploy_lab::hosts::{Lab, Running, access};
use deploy_lab::systems::{FOLDER, Fleet, Generation, PAIR};

use crate::scene::{Said, Scene, line};

/// The lab's own installation of a system, as `nixos-install` of the host calls it.
const LAB_INSTALL: &str = include_str!("../../../systems/install");
const NIXOS_INSTALL: &str = include_str!("nixos-install.sh");
const NIXOS_ANYWHERE: &str = include_str!("nixos-anywhere.sh");
const LSBLK: &str = include_str!("lsblk.sh");
const FLAKE: &str = include_str!("flake.nix");

/// An installer's own words.
const OS_RELEASE: &str = "ID=nixos\nPRETTY_NAME=\"NixOS 26.05\"\nVARIANT_ID=installer\n";
const EMPTY: &str = r#"{"blockdevices":[{"name":"/dev/sda","type":"disk","size":500107862016,
"ro":false,"model":"Lab","fstype":null,"label":null,"pttype":null,"mountpoints":[null]}]}"#;

/// How long a restart may take, with all that is installed before it.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// An operator's flake with frame1, and a host at `frame1` that is as the installer is.
pub struct Installer(pub Scene);

impl Installer {
    pub fn new(lab: &mut Lab) -> Result<Self> {
        Self::of(lab, Fleet::of("frame1", Generation::new("frame1", 1)))
    }

    /// The same with this fleet.
    pub fn of(lab: &mut Lab, fleet: Fleet) -> Result<Self> {
        let installer = Self(Scene::of(lab, &PAIR)?);
        let Scene { mac, frame1 } = &installer.0;
        frame1.sh("rm -f /etc/os-release")?;
        frame1.write("/etc/os-release", OS_RELEASE, 0o644)?;
        frame1.write("/usr/local/lib/lab-install", LAB_INSTALL, 0o755)?;
        frame1.write("/usr/local/bin/nixos-install", NIXOS_INSTALL, 0o755)?;
        frame1.write("/usr/local/bin/lsblk", LSBLK, 0o755)?;
        frame1.write("/usr/local/bin/cpio", "#!/bin/sh\n", 0o755)?;
        frame1.sh(
            "mkdir -p /dev/disk/by-id; touch /dev/sda; ln -s ../../sda /dev/disk/by-id/ata-LAB",
        )?;
        installer.has_disks(EMPTY)?;
        mac.write("/usr/local/bin/nixos-anywhere", NIXOS_ANYWHERE, 0o755)?;
        fleet.write(mac)?;
        installer.has_secrets()?;
        Ok(installer)
    }

    /// What `lsblk` prints on the host.
    pub fn has_disks(&self, json: &str) -> Result<()> {
        self.0.frame1.write("/etc/lab-disks.json", json, 0o644)
    }

    /// A flake whose secret `token` is for the operator and for an older key of frame1.
    fn has_secrets(&self) -> Result<()> {
        let Scene { mac, frame1 } = &self.0;
        let (mine, its) = (access::operator_key(mac)?, access::host_key(frame1)?);
        let at = |name: &str| format!("{FOLDER}/{name}");
        mac.sh(&format!(
            "cd {FOLDER}; mv flake.nix lab.nix; ssh-keygen -q -t ed25519 -N '' -f old"
        ))?;
        mac.write(&at("flake.nix"), FLAKE, 0o644)?;
        let old = mac.read(&at("old.pub"))?;
        let keys = format!(
            "{{\n  operator = \"{}\";\n  machines = {{\n    frame1 = \"{}\";\n  }};\n}}\n",
            mine.trim(),
            old.trim()
        );
        ensure!(!old.contains(&its), "the machine that is there is the one to come");
        mac.write(&at("keys.nix"), keys, 0o644)?;
        mac.sh(&format!(
            "cd {FOLDER}; mkdir secrets
            echo 'let keys = import ../keys.nix; in {{ \"token.age\".publicKeys = [ keys.operator \
             keys.machines.frame1 ]; }}' > secrets/secrets.nix
            printf a-word | {DEPLOY} secrets edit token
            git add --all
            git -c user.name=operator -c user.email=operator@mac commit -q -m secrets"
        ))?;
        Ok(())
    }

    /// Runs `deploy install frame1 ARGS` to its end.
    pub fn install(&self, args: &str) -> Result<Said> {
        let output = self.0.mac.command(["sh", "-c", &command(args)]).run()?;
        Ok(Said::of(&output))
    }

    /// Starts it and leaves it running.
    pub fn begin(&self, args: &str) -> Result<Running> {
        self.0.mac.command(["sh", "-c", &command(args)]).spawn()
    }

    /// How often the disk script has run.
    pub fn formatted(&self) -> Result<usize> {
        let log = self.0.frame1.sh("cat /var/lib/disko-ran 2> /dev/null || :")?;
        Ok(log.lines().count())
    }

    /// The machine after its restart: it has the key that was made for it, reads its secret with it,
    /// and is deployed to as every other.
    pub fn is_installed(&self, said: &Said, before: &str) -> Result<()> {
        let Scene { mac, frame1 } = &self.0;
        said.ends(
            0,
            &["shows its new host key", "frame1: committed", "from now on: deploy frame1"],
        )?;
        let key = access::host_key(frame1)?;
        ensure!(key != before, "it has the installer's host key");
        ensure!(mac.read(&format!("{FOLDER}/keys.nix"))?.contains(&key), "the keys lack {key}");
        let opened = mac.sh(&format!(
            "ssh -o StrictHostKeyChecking=yes -o BatchMode=yes frame1 \
             age -d -i /etc/ssh/ssh_host_ed25519_key < {FOLDER}/secrets/token.age"
        ))?;
        ensure!(opened == "a-word", "the secret there is `{opened}`");
        let scene = &self.0;
        ensure!(scene.runs()? == scene.wanted()?, "it runs another system");
        scene.deploy("frame1")?.ends(0, &["already up to date", "confirmed"])?;
        self.install("--host frame1 --yes")?.ends(
            1,
            &["frame1 is installed already", "deploy frame1 brings it the flake's system"],
        )?;
        scene.ends_on(&scene.wanted()?)
    }
}

fn command(args: &str) -> String {
    format!("PATH=/usr/local/bin:$PATH; {}", line(&format!("install frame1 {args}")))
}
