//! Secrets that are missing, or that the machine cannot decrypt.

use anyhow::{Result, ensure};
use deploy_lab::hosts::programs::DEPLOY;
use deploy_lab::hosts::{Lab, access};
use deploy_lab::systems::{HOMELAB, HOMELAB_FOLDER, Homelab, Secrets};

use super::Home;
use crate::harness::Scenario;

pub const ALL: &[Scenario] = &[
    Scenario::new("a-deploy-whose-secrets-were-never-made-names-them-all", missing)
        .unless(|| HOMELAB.missing()),
    Scenario::new("a-secret-that-frame1-cannot-read-is-refused-before-the-switch", unreadable)
        .unless(|| HOMELAB.missing()),
    Scenario::new("a-machine-made-anew-reads-its-secrets-once-its-new-key-is-a-recipient", anew)
        .unless(|| HOMELAB.missing()),
];

fn missing(lab: &mut Lab) -> Result<()> {
    let home = Home::new(lab)?;
    let before = home.runs()?;
    home.has(&Homelab::default().secrets(Secrets::Missing))?;
    let grafana = "missing secret grafana-secret-key (secrets/grafana-secret-key.age): ";
    let restic = "missing secret restic-password (secrets/restic-password.age): ";
    // `plan` reports what the deploy is refused for.
    home.deploy("plan frame1")?.ends(1, &[grafana, restic])?;
    let make = "deploy secrets new frame1; then git add secrets";
    let refused = home.deploy("frame1")?;
    refused.ends(1, &["7 secrets of frame1 were never made", grafana, restic, make])?;
    refused.ends(1, &["nothing was changed"])?;
    let wanted = home.wanted()?;
    ensure!(home.mac.command(["test", "-e", &wanted]).run()?.code != 0, "it was built");
    ensure!(home.runs()? == before, "frame1 was switched");

    home.has(&Homelab::default())?;
    home.deploy("frame1")?.ends(0, &["frame1: committed"])
}

fn unreadable(lab: &mut Lab) -> Result<()> {
    let home = Home::new(lab)?;
    let before = home.runs()?;
    home.has(&Homelab::default())?;
    home.mac.sh(&format!(
        "cd {HOMELAB_FOLDER}; ssh-keygen -q -t ed25519 -N '' -f /root/other; \
         printf nixos | age -R /root/other.pub -o secrets/restic-password.age; \
         git -c user.name=operator -c user.email=operator@mac commit -qam other"
    ))?;
    let refused = home.deploy("frame1")?;
    refused
        .ends(1, &["secret restic-password cannot be decrypted on the machine", "nothing was"])?;
    ensure!(home.runs()? == before, "frame1 was switched");
    Ok(())
}

/// The steps in docs/services/ssh.md for a machine whose host keys have no backup.
fn anew(lab: &mut Lab) -> Result<()> {
    let home = Home::new(lab)?;
    home.has(&Homelab::default())?;
    home.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    home.frame1.sh("rm /etc/ssh/ssh_host_*; ssh-keygen -q -A; systemctl restart sshd.service")?;
    access::know(&home.mac, &home.frame1)?;

    let edit = |script: &str| {
        home.mac.sh(&format!(
            "cd {HOMELAB_FOLDER}; {script}; \
             git -c user.name=operator -c user.email=operator@mac commit -qam anew"
        ))
    };
    edit("echo '# new' >> machines/frame1/default.nix")?;
    let before = home.runs()?;
    let refused = home.deploy("frame1")?;
    refused.ends(1, &["secret alert-watchdog cannot be decrypted on the machine"])?;
    ensure!(home.runs()? == before, "frame1 was switched");

    edit(&format!("{DEPLOY} secrets recipients add frame1 --from-host frame1 --yes"))?;
    let key = access::host_key(&home.frame1)?;
    let keys = home.mac.sh(&format!("cat {HOMELAB_FOLDER}/machines/keys.nix"))?;
    ensure!(keys.contains(&format!("frame1 = \"{key}\";")), "{keys}");
    ensure!(keys.contains("# Host keys, /etc/ssh/"), "a comment is gone: {keys}");
    home.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    let opened = home.frame1.sh("cat /run/agenix/restic-password")?;
    ensure!(opened == "nixos", "the secret is {opened:?}");
    Ok(())
}
