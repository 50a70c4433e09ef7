//! What is refused, interrupted or fails, and in what state things are then.

use anyhow::{Result, ensure};
use deploy_lab::hosts::{Lab, wait};
use deploy_lab::systems::{FOLDER, Fleet, Generation};
use serde_json::json;

use super::{EMPTY, Installer, PATIENCE};
use crate::harness::Scenario;
use crate::scene::end;
use crate::ways::{end_on_terminal, on_terminal};

pub const ALL: &[Scenario] = &[
    Scenario::new("a-computer-that-does-not-fit-is-not-installed-and-not-changed", unfit),
    Scenario::new("an-installation-that-ends-badly-says-what-the-computer-is-then", ends_badly),
    Scenario::new("an-installed-machine-whose-check-fails-is-not-confirmed-and-stays", check_fails),
];

/// A disk with a file system.
const USED: &str = r#"{"blockdevices":[{"name":"/dev/sda","type":"disk","size":500107862016,
"ro":false,"model":"Lab","fstype":"ext4","label":"data","pttype":null,"mountpoints":[null]}]}"#;

fn unfit(lab: &mut Lab) -> Result<()> {
    let installer = Installer::new(lab)?;
    let (mac, frame1) = (&installer.0.mac, &installer.0.frame1);
    let state = || mac.sh(&format!("cd {FOLDER}; git status --porcelain; git diff"));
    let refused = |args: &str, code: i32, parts: &[&str]| -> Result<()> {
        installer.install(args)?.ends(code, parts)?;
        ensure!(installer.formatted()? == 0, "a disk was written by `{args}`");
        let changed = state()?;
        ensure!(changed.is_empty(), "the flake was changed by `{args}`: {changed}");
        Ok(())
    };
    let yes = "--host frame1 --yes";
    installer.has_disks(USED)?;
    let data =
        ["cause: /dev/sda ext4 `data`", "state: nothing was changed", "--wipe frame1 goes on"];
    refused(yes, 1, &data)?;
    refused(
        &format!("{yes} --wipe frame2"),
        2,
        &["--wipe names `frame2`, and frame1 is installed"],
    )?;
    refused(&format!("{yes} --wipe frame1 --dry-run"), 0, &["all on it is lost", "ext4 `data`"])?;
    installer.has_disks(EMPTY)?;
    refused(
        "--host admin@frame1 --yes",
        2,
        &["admin on frame1 cannot install", "sudo passwd root"],
    )?;
    refused("--host frame1 --yes --host-key /etc/hostname", 1, &["no private key of OpenSSH's"])?;
    refused("--host nowhere --yes", 1, &["cannot log in to root@nowhere", "nothing was changed"])?;
    frame1.sh("rm /dev/disk/by-id/ata-LAB")?;
    let none = ["disko.devices.disk.main is /dev/disk/by-id/ata-LAB, and there is no such disk"];
    refused(yes, 1, &none)?;
    frame1.sh("ln -s ../../sda /dev/disk/by-id/ata-LAB; sed -i /VARIANT/d /etc/os-release")?;
    refused(yes, 1, &["frame1 is installed already"])?;
    frame1.sh("hostname nas")?;
    refused(
        yes,
        1,
        &["frame1 is no installer: it runs NixOS 26.05 from overlay, and calls itself `nas`"],
    )?;
    let running = format!("{yes} --wipe frame1 --dry-run");
    refused(
        &running,
        0,
        &["starting an installer in place of the running system: nixos-anywhere --phases kexec"],
    )?;
    frame1.sh("echo VARIANT_ID=installer >> /etc/os-release")?;

    frame1.sh("mkdir /run/deploy-install.lock")?;
    refused(yes, 1, &["frame1 is not installed on frame1", "/run/deploy-install.lock"])?;
    frame1.sh("rmdir /run/deploy-install.lock")?;
    // Neither on PATH nor, without a network, from nixpkgs.
    mac.sh("mv /usr/local/bin/nixos-anywhere /root")?;
    let missing = ["there is no nixos-anywhere", "nix profile install nixpkgs#nixos-anywhere"];
    refused(yes, 1, &missing)?;
    mac.sh("mv /root/nixos-anywhere /usr/local/bin")?;
    // One has it and waits for an answer; another one must not.
    let mut first = on_terminal(mac, "install frame1 --host frame1")?;
    first.wait_for("overwrite /dev/sda of frame1 with frame1? [y/N]")?;
    refused(yes, 1, &["frame1 is being installed already", "another deploy install has it"])?;
    first.types("\x03")?;
    end_on_terminal(first)?.ends(130, &["interrupted; frame1 was not touched"])?;
    refused("--host frame1", 2, &["frame1 was not installed", "--yes answers"])?;
    // The lock ended with the first one's login.
    let mut third = on_terminal(mac, "install frame1 --host frame1")?;
    third.wait_for("overwrite /dev/sda of frame1 with frame1? [y/N]")?;
    third.types("n\n")?;
    end_on_terminal(third)?.ends(1, &["the answer was no"])
}

fn ends_badly(lab: &mut Lab) -> Result<()> {
    let installer = Installer::new(lab)?;
    let (mac, frame1) = (&installer.0.mac, &installer.0.frame1);
    let yes = "--host frame1 --yes";
    // The disk script fails before it writes anything, and behind a first write.
    frame1.sh("rm -rf /var/lib/disko-ran; mkdir /var/lib/disko-ran")?;
    installer.install(yes)?.ends(
        4,
        &["nixos-anywhere failed in its phase `disko`", "the computer was not touched; written:"],
    )?;
    frame1.sh("rmdir /var/lib/disko-ran; mv /usr/local/bin/nixos-install /root")?;
    installer.install(yes)?.ends(1, &["the installer on frame1 lacks nixos-install"])?;
    frame1.write("/usr/local/bin/nixos-install", "#!/bin/sh\necho no room >&2; exit 1\n", 0o755)?;
    let failed = [
        "nixos-anywhere failed in its phase `install`",
        "no room",
        "the disks of frame1 are made, and mounted at /mnt there",
        "deploy install frame1 --host frame1 --wipe frame1",
    ];
    installer.install(yes)?.ends(5, &failed)?;
    // It says that it installed, and did not.
    frame1.write("/usr/local/bin/nixos-install", "#!/bin/sh\n", 0o755)?;
    let wrong = ["frame1 is not installed as it was built", "the profile there leads to nothing"];
    installer.install(yes)?.ends(5, &wrong)?;
    ensure!(frame1.is_on(), "it was restarted");
    // Ctrl-C while the system is installed.
    frame1.write(
        "/usr/local/bin/nixos-install",
        "#!/bin/sh\ntouch /run/begun; sleep 600\n",
        0o755,
    )?;
    let mut terminal = on_terminal(mac, "install frame1 --host frame1 --yes")?;
    wait::until("the system is being installed", wait::PATIENCE, || {
        Ok(frame1.command(["test", "-e", "/run/begun"]).run()?.code == 0)
    })?;
    terminal.types("\x03")?;
    let interrupted = ["interrupted while copying the system", "no whole system is on them"];
    end_on_terminal(terminal)?.ends(5, &interrupted)?;
    // It restarts, and what comes up is the installer again.
    let profile = "nix-env --profile /nix/var/nix/profiles/system --set \"$system\"";
    let install = format!("{SYSTEM_OF_ARGS}\n{profile}\n");
    frame1.write("/usr/local/bin/nixos-install", install, 0o755)?;
    frame1.sh("rm -rf /root/before; mkdir /root/before; cp -a /etc/ssh/ssh_host_* /root/before")?;
    let back = "#!/bin/sh\ncp -a /root/before/* /etc/ssh; sync -f /etc; exec /sbin/reboot\n";
    frame1.write("/usr/local/bin/reboot", back, 0o755)?;
    let running = installer.begin("--host frame1 --yes --boot-timeout 20")?;
    frame1.wait_for_reboot(PATIENCE)?;
    let away = [
        "frame1 was installed, and did not come up within 20 s",
        "frame1 shows the host key SHA256:",
        "does it start from the disk, and not from the stick?",
    ];
    end(running)?.ends(5, &away)
}

/// There is no system to go back to. `deploy` does the same again, once the service is mended.
fn check_fails(lab: &mut Lab) -> Result<()> {
    let kind = json!({ "type": "http", "address": "127.0.0.1", "port": 8080 });
    let check = json!({ "name": "web", "service": "http", "grace": 1, "kind": kind });
    let fleet = Fleet::of("frame1", Generation::new("frame1", 1));
    let fleet = fleet.node("frame1", "checks", json!([check]));
    let fleet = fleet.node("frame1", "units", json!({ "watch": 1 }));
    let installer = Installer::of(lab, fleet)?;
    let scene = &installer.0;
    let running = installer.begin("--host frame1 --yes")?;
    scene.frame1.wait_for_reboot(PATIENCE)?;
    let said = end(running)?;
    said.ends(
        3,
        &["check web fails", "is installed and not confirmed; deploy frame1 tries again"],
    )?;
    ensure!(scene.runs()? == scene.wanted()?, "it runs another system");
    scene.frame1.sh("systemd-run --collect python3 -m http.server 8080 --bind 127.0.0.1")?;
    scene.deploy("frame1")?.ends(0, &["frame1: "])?;
    scene.deploy("status frame1")?.ends(0, &["confirmed"])?;
    scene.ends_on(&scene.wanted()?)
}

/// The begin of a `nixos-install`: its system.
const SYSTEM_OF_ARGS: &str = "#!/bin/sh
set -eu
while [ $# -gt 0 ]; do [ \"$1\" != --system ] || system=$2; shift; done";
