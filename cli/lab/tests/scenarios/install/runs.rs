//! Installations to their end.

use anyhow::{Result, ensure};
use deploy_lab::hosts::programs::DEPLOY;
use deploy_lab::hosts::{Lab, access};
use deploy_lab::systems::{self, FOLDER};

use super::{Installer, PATIENCE};
use crate::harness::Scenario;
use crate::scene::{Scene, end};
use crate::ways::{end_on_terminal, on_terminal};

pub const ALL: &[Scenario] = &[
    Scenario::new(
        "an-installer-becomes-a-machine-that-is-confirmed-and-reads-its-secrets",
        installs,
    ),
    Scenario::new(
        "a-machine-of-deploy-new-is-installed-with-the-key-that-it-was-given",
        with_its_own_key,
    ),
    Scenario::new("nixos-anywhere-s-own-script-installs-a-machine-with-a-password", own_script)
        .unless(missing),
];

fn installs(lab: &mut Lab) -> Result<()> {
    let installer = Installer::new(lab)?;
    let frame1 = &installer.0.frame1;
    let before = access::host_key(frame1)?;
    let keys = installer.0.mac.read("/root/fleet/keys.nix")?;
    installer.install("--host frame1 --dry-run")?.ends(
        0,
        &[
            "/dev/disk/by-id/ata-LAB is /dev/sda (465.8 GiB, Lab): empty",
            "nixos-anywhere --phases disko --build-on local --store-paths /nix/store/",
            "nixos-anywhere --phases install --build-on local --store-paths /nix/store/",
            "--extra-files",
            "machines.frame1 in keys.nix becomes SHA256:",
            "as: deploy secrets recipients add frame1 ",
            "build here: nix build --no-link /nix/store/",
            "take /usr/local/bin/nixos-anywhere",
        ],
    )?;
    ensure!(installer.formatted()? == 0, "a dry run wrote a disk");
    ensure!(keys == installer.0.mac.read("/root/fleet/keys.nix")?, "a dry run wrote a key");
    let running = installer.begin("--host frame1 --yes")?;
    frame1.wait_for_reboot(PATIENCE)?;
    let said = end(running)?;
    installer.is_installed(&said, &before)
}

/// The private half is a secret of the operator's, and the public half is among the readers already.
fn with_its_own_key(lab: &mut Lab) -> Result<()> {
    let installer = Installer::new(lab)?;
    let Scene { mac, frame1 } = &installer.0;
    let before = access::host_key(frame1)?;
    mac.sh(&format!(
        "cd {FOLDER}; ssh-keygen -q -t ed25519 -N '' -C '' -f given
        {DEPLOY} secrets recipients add frame1 \"$(cat given.pub)\"
        sed -i 's/ }}$/ \"frame1-host-key.age\".publicKeys = [ keys.operator ]; }}/' secrets/secrets.nix
        {DEPLOY} secrets edit frame1-host-key < given; rm given
        git add --all; git -c user.name=operator -c user.email=operator@mac commit -q -m given"
    ))?;
    let running = installer.begin("--host frame1 --yes")?;
    frame1.wait_for_reboot(PATIENCE)?;
    let said = end(running)?;
    said.ends(0, &["of /root/fleet/secrets/frame1-host-key.age"])?;
    let given = mac.read(&format!("{FOLDER}/given.pub"))?;
    ensure!(access::host_key(frame1)? == given.trim(), "it has another key than {given}");
    ensure!(
        mac.sh(&format!("cd {FOLDER}; git status --porcelain"))?.is_empty(),
        "the flake changed"
    );
    installer.is_installed(&said, &before)
}

/// nixos-anywhere's scripts, where a copy of its repository is among the inputs.
fn own() -> Result<std::path::PathBuf> {
    Ok(systems::input("nixos-anywhere")?.join("src"))
}

fn missing() -> Option<String> {
    let folder = own().ok()?;
    let is_there = folder.join("nixos-anywhere.sh").exists();
    (!is_there).then(|| format!("there is no {}", folder.display()))
}

/// The installer accepts a password alone, as NixOS's own image does once one is set.
fn own_script(lab: &mut Lab) -> Result<()> {
    let installer = Installer::new(lab)?;
    let Scene { mac, frame1 } = &installer.0;
    let before = access::host_key(frame1)?;
    for name in ["nixos-anywhere.sh", "get-facts.sh"] {
        let text = std::fs::read_to_string(own()?.join(name))?;
        mac.write(&format!("/opt/nixos-anywhere/{name}"), text, 0o755)?;
    }
    let script = "#!/bin/sh\nexec bash /opt/nixos-anywhere/nixos-anywhere.sh \"$@\"\n";
    mac.write("/usr/local/bin/nixos-anywhere", script, 0o755)?;
    frame1.sh(
        "cd /root/.ssh; mv authorized_keys installed_keys; echo root:installer | chpasswd
        printf 'PermitRootLogin yes\\nPasswordAuthentication yes\\n' > /etc/ssh/sshd_config.d/lab.conf
        systemctl restart ssh",
    )?;
    let mut terminal = on_terminal(mac, "install frame1 --host frame1")?;
    terminal.wait_for("password:")?;
    terminal.types("installer\n")?;
    terminal.wait_for("overwrite /dev/sda of frame1 with frame1? [y/N]")?;
    terminal.types("y\n")?;
    frame1.wait_for_reboot(PATIENCE)?;
    let said = end_on_terminal(terminal)?;
    ensure!(!said.text.contains("Permission denied"), "a login failed: {}", said.text);
    access::know(mac, frame1)?;
    installer.is_installed(&said, &before)
}
