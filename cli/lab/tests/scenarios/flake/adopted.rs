//! `deploy adopt`: a machine that runs becomes one of the flake's, and is the same as before.

use anyhow::{Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::systems::{HOMELAB, HOMELAB_FOLDER, Homelab, OVERRIDE};

use super::Home;
use crate::harness::Scenario;

pub const ALL: &[Scenario] =
    &[Scenario::new("a-machine-that-runs-is-adopted-and-not-changed", adopted)
        .unless(|| HOMELAB.missing())];

/// What a change would be seen in.
const STATE: &str = "find /etc /boot /nix/var /root -xdev -not -name '*.lock' \
                     -not -path '/nix/var/nix/db/*' -printf '%p %s %T@ %l\n' | sort";

fn adopted(lab: &mut Lab) -> Result<()> {
    let home = Home::new(lab)?;
    home.has(&Homelab::default())?;
    let frame1 = &home.frame1;
    // frame1 is of the flake already: this asks it as a machine that nobody has described.
    home.deploy("adopt admin@frame1")?.ends(1, &["machines/frame1 is there already"])?;
    let before = frame1.sh(STATE)?;
    home.deploy("adopt admin@frame1 --name frame3")?.ends(
        1,
        &["does not say its stateVersion", "--state-version RELEASE", "nothing was changed"],
    )?;
    home.deploy("adopt admin@frame1 --name Frame3")?.ends(1, &["a host's name has"])?;
    home.deploy("adopt admin@frame1 --name frame3 --service caddy")?
        .ends(1, &["no domain is named"])?;
    frame1.sh("mv /run/current-system /run/kept")?;
    home.deploy("adopt admin@frame1 --name frame3")?
        .ends(1, &["admin@frame1 was not adopted", "no NixOS"])?;
    frame1.sh("mv /run/kept /run/current-system")?;
    let unreached = home.deploy("adopt nowhere --name frame3")?;
    unreached.ends(1, &["cannot log in to nowhere"])?;
    ensure!(frame1.sh(STATE)? == before, "frame1 was changed");
    home.mac
        .sh(&format!("cd {HOMELAB_FOLDER} && git diff --exit-code && test ! -e machines/frame3"))?;

    frame1.write(
        "/etc/nixos/configuration.nix",
        "{\n  system.stateVersion = \"24.11\"; # stays\n}\n",
        0o644,
    )?;
    // As install-grub.pl of NixOS leaves it.
    frame1.sh("printf 'GNU GRUB\\n2.12\\nno\\n/dev/vda\\n\\n{}\\n' > /boot/grub/state; chmod 600 /boot/grub/state")?;
    let before = frame1.sh(STATE)?;
    home.deploy("adopt admin@frame1 --name frame3")?.ends(
        0,
        &[
            "machines/frame3 has default.nix, services.nix, hardware.nix",
            // It has frame1's key, which the rules name.
            "machines.frame3 is in machines/keys.nix, and reads 7 secrets",
            // A host of the lab has a root of several layers.
            "its root is on no disk that was found: set fileSystems.\"/\" in hardware.nix",
            "next: deploy plan frame3 --build",
        ],
    )?;
    ensure!(frame1.sh(STATE)? == before, "frame1 was changed");
    let text = home.mac.sh(&format!("cat {HOMELAB_FOLDER}/machines/frame3/*.nix"))?;
    for line in [
        "nixpkgs.hostPlatform = \"x86_64-linux\";",
        "system.stateVersion = \"24.11\";",
        "boot.loader.grub.devices = [ \"/dev/vda\" ];",
        "users.users.admin = {",
        "hostname = \"frame1\";",
        "fileSystems.\"/boot\" = {",
    ] {
        ensure!(text.contains(line), "no `{line}` in {text}");
    }
    let key = frame1.sh("cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub")?;
    home.mac
        .sh(&format!("grep -F '\"{key}\"' {HOMELAB_FOLDER}/machines/keys.nix | grep frame3"))?;
    let evaluated = home.mac.sh(&format!(
        "cd {HOMELAB_FOLDER} && sed -i '$i fileSystems.\"/\".device = \"/dev/vda1\";' \
         machines/frame3/hardware.nix && nix eval --raw \
         .#nixosConfigurations.frame3.config.system.build.toplevel.drvPath {OVERRIDE} 2>&1"
    ))?;
    ensure!(evaluated.contains("nixos-system-frame3"), "{evaluated}");
    Ok(())
}
