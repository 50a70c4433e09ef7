//! Unusual machines: state that does not survive a boot, other places of the boot loader's files,
//! slow steps.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::systems::{Fleet, Generation, Unit};

use super::runs_generation;
use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] = &[
    Scenario::new("a-machine-whose-id-is-new-at-each-boot-is-the-same-machine", new_id),
    Scenario::new("a-unit-that-keeps-the-switch-is-named-with-what-gives-it-time", long_oneshot),
    Scenario::new("a-loader-below-efi-is-looked-at-and-a-second-one-is-said-before", loaders),
];

fn new_id(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    for number in [2, 3] {
        scene.wants(Generation::new("frame1", number))?;
        scene.deploy("frame1")?.ends(0, &["committed"])?;
        runs_generation(&scene.frame1, number)?;
        scene.frame1.sh("tr -d - < /proc/sys/kernel/random/uuid > /etc/machine-id")?;
        scene.deploy("frame1")?.ends(0, &["already up to date"])?;
    }
    // The host keys differ too: this is a copy of the disk.
    scene.frame1.sh("ssh-keygen -q -t ed25519 -N '' -f /etc/other -C x
        mv /etc/ssh/ssh_host_ed25519_key.pub /etc/kept; mv /etc/other.pub /etc/ssh/ssh_host_ed25519_key.pub
        find /etc/ssh -name 'ssh_host_*.pub' ! -name '*ed25519*' -delete")?;
    scene.wants(Generation::new("frame1", 4))?;
    let refused = scene.deploy("frame1")?;
    refused
        .ends(1, &["the disk of frame1 is another machine's", "nor do its SSH host keys agree"])?;
    ensure!(!refused.text.contains("building"), "refused too late:\n{}", refused.text);
    runs_generation(&scene.frame1, 3)
}

fn long_oneshot(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let pull = Unit::service("Type=oneshot\nExecStart=/bin/sleep 300\nTimeoutStartSec=infinity\n");
    let system = Generation::new("frame1", 2);
    let system = system.unit("pull-image.service", pull.wanted_by("multi-user.target"));
    let fleet = Fleet::of("frame1", system).node("frame1", "activationTimeout", 8);
    scene.has(fleet)?;
    let said = scene.deploy("frame1")?;
    said.ends(
        3,
        &["the switch did not end within 8 s: pull-image.service still starts; \
             `timeouts.activation` (deploy-rs: activationTimeout) gives them more"],
    )?;
    scene.frame1.wait_for_ssh(Duration::from_secs(10))?;
    runs_generation(&scene.frame1, 1)
}

fn loaders(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.frame1.sh("mkdir /efi; mount -t tmpfs -o size=2m none /efi
        mkdir -p /efi/loader /efi/EFI/nixos
        echo 'timeout 5' > /efi/loader/loader.conf; echo x > /efi/EFI/nixos/old.efi")?;
    scene.wants(Generation::new("frame1", 2))?;
    let said = scene.deploy("frame1")?;
    said.ends(0, &["there are files of more than one boot loader", "committed"])?;
    let twice = said.text.matches("boots: not known").count();
    ensure!(twice == 1, "said {twice} times:\n{}", said.text);
    scene.wants(Generation::new("frame1", 3))?;
    scene.frame1.sh("head -c 2M /dev/zero > /efi/fill || :")?;
    scene.deploy("frame1")?.ends(1, &["/efi has 0 KiB free"])?;
    scene.frame1.sh("rm /efi/fill; mount -o remount,ro /efi")?;
    scene.deploy("frame1")?.ends(1, &["/efi is mounted read-only"])?;
    runs_generation(&scene.frame1, 2)
}
