//! Power cuts, disks and boots.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::{DiskSize, HostSpec, Lab, wait};
use deploy_lab::systems::PAIR;

use crate::harness::Scenario;

pub const ALL: &[Scenario] = &[
    Scenario::new("power-cut-loses-what-was-not-synced", unsynced_is_lost),
    Scenario::new("a-rename-without-fsync-loses-the-contents", rename_without_fsync),
    Scenario::new("an-orderly-shutdown-keeps-everything", orderly),
    Scenario::new("a-host-that-reboots-by-itself-comes-back", reboot),
    Scenario::new("a-soft-reboot-keeps-boot-and-clock", soft_reboot),
    Scenario::new("a-failed-mount-leaves-a-console-and-no-login", emergency),
    Scenario::new("a-power-cut-is-silent-on-the-network", silent),
    Scenario::new("a-full-disk-is-full-and-boot-too", full),
    Scenario::new("an-unbootable-host-says-so", unbootable),
];

fn unsynced_is_lost(lab: &mut Lab) -> Result<()> {
    let host = lab.prepared(&PAIR, "frame1")?;
    host.boot()?;
    host.wait_until_up()?;
    host.sh("echo kept > /root/kept; echo kept > /boot/kept; sync -f /root /boot")?;
    host.sh("echo lost > /root/lost; echo lost > /boot/lost")?;
    host.power_cut()?;
    host.boot()?;
    // Any other sync also writes the journal, and with it the name of an empty file.
    let left = host.sh("cat /root/kept /boot/kept; cat /root/lost /boot/lost 2>/dev/null || :")?;
    ensure!(left == "kept\nkept", "{left}");
    Ok(())
}

fn rename_without_fsync(lab: &mut Lab) -> Result<()> {
    let host = lab.prepared(&PAIR, "frame1")?;
    host.boot()?;
    host.sh("echo old > /root/file; sync -f /root")?;
    // The other file's fsync commits the journal, but not the contents of the renamed file.
    host.sh(
        "cd /root; echo new > next; mv next file; dd if=/dev/zero of=other count=1 conv=fsync 2>&1",
    )?;
    host.power_cut()?;
    host.boot()?;
    ensure!(host.read("/root/file")?.is_empty(), "a missing fsync does not show on this disk");
    Ok(())
}

fn orderly(lab: &mut Lab) -> Result<()> {
    let host = lab.prepared(&PAIR, "frame1")?;
    host.boot()?;
    host.sh("echo kept > /root/kept; echo kept > /boot/kept")?;
    host.halt()?;
    host.boot()?;
    ensure!(host.sh("cat /root/kept /boot/kept")? == "kept\nkept", "something is lost");
    Ok(())
}

fn reboot(lab: &mut Lab) -> Result<()> {
    let host = lab.prepared(&PAIR, "frame1")?;
    host.boot()?;
    let boot_id = "cat /proc/sys/kernel/random/boot_id";
    let before = host.sh(boot_id)?;
    let deadline = Duration::from_secs(100);
    for ask in [&["systemctl", "reboot"][..], &["systemctl", "reboot", "--force", "--force"]] {
        host.wait_until_up()?;
        let asked = host.command(ask.iter().copied()).spawn()?;
        host.wait_for_reboot(deadline)?;
        drop(asked);
        ensure!(host.sh(boot_id)? != before, "the same boot");
    }
    let asked = host.command(["systemctl", "poweroff", "--force", "--force"]).spawn()?;
    ensure!(host.wait_for_reboot(deadline).is_err(), "it was to stay off");
    drop(asked);
    Ok(())
}

fn soft_reboot(lab: &mut Lab) -> Result<()> {
    let host = lab.prepared(&PAIR, "frame1")?;
    host.boot()?;
    host.wait_until_up()?;
    let boot_id = "cat /proc/sys/kernel/random/boot_id";
    let (before, sshd) = (host.sh(boot_id)?, "systemctl show --value --property MainPID ssh");
    let old = host.sh(sshd)?;
    host.sh("touch /run/stays /boot/stays; systemctl soft-reboot")?;
    wait::until("sshd is another one", wait::PATIENCE, || {
        let now = host.command(["sh", "-c", sshd]).run()?;
        Ok(now.code == 0 && !["0", old.as_str()].contains(&now.stdout.trim()))
    })?;
    host.wait_for_ssh(wait::PATIENCE)?;
    ensure!(host.sh(boot_id)? == before, "a soft reboot is no boot");
    ensure!(host.sh("ls /run/stays; systemctl show -P SoftRebootsCount")? == "/run/stays\n1");
    ensure!(host.sh("ls /boot/stays")? == "/boot/stays", "/boot was not mounted again");
    Ok(())
}

fn emergency(lab: &mut Lab) -> Result<()> {
    let host = lab.prepared(&PAIR, "frame1")?;
    host.boot()?;
    host.wait_until_up()?;
    let mount = "[Unit]\nDefaultDependencies=no\nBefore=local-fs.target\n\
                 [Mount]\nWhat=none\nWhere=/mnt/bad\nType=nosuchfs\n";
    host.write("/etc/systemd/system/mnt-bad.mount", mount, 0o644)?;
    host.sh("mkdir /etc/systemd/system/local-fs.target.requires; \
             ln -s ../mnt-bad.mount /etc/systemd/system/local-fs.target.requires/; \
             systemctl daemon-reload; systemctl start local-fs.target || :")?;
    let stranded = || {
        wait::until("the emergency", wait::PATIENCE, || {
            let asked = host.command(["systemctl", "is-active", "emergency.target"]).run()?;
            Ok(asked.stdout.trim() == "active" && host.wait_for_ssh(Duration::ZERO).is_err())
        })
    };
    stranded()?;
    host.sync()?;
    host.power_cut_and_boot()?;
    stranded()
}

fn silent(lab: &mut Lab) -> Result<()> {
    let mac = lab.prepared(&PAIR, "mac")?;
    let frame1 = lab.prepared(&PAIR, "frame1")?;
    mac.boot()?;
    frame1.boot()?;
    frame1.wait_until_up()?;
    let mut login = mac.command(["ssh", "frame1", "echo in; sleep 1000"]).spawn()?;
    wait::until("logged in", wait::PATIENCE, || Ok(login.stdout()? == "in\n"))?;
    frame1.power_cut()?;
    ensure!(login.is_running()?, "the dead host closed its connection: {}", login.stderr()?);
    login.kill()
}

fn full(lab: &mut Lab) -> Result<()> {
    let size = DiskSize { disk_mib: 128, boot_mib: 8 };
    let host = lab.new_host(HostSpec::named("frame2")?.sized(size))?;
    host.boot()?;
    for folder in ["/root", "/boot"] {
        host.fill(folder, 1 << 20)?;
        let write = format!("head -c 2000000 /dev/zero > {folder}/more");
        let written = host.command(["sh", "-c", &write]).run()?;
        ensure!(written.stderr.contains("No space left"), "{folder}: {written:?}");
        host.sh(&format!("rm {folder}/lab-fill; {write}"))?;
    }
    Ok(())
}

fn unbootable(lab: &mut Lab) -> Result<()> {
    let host = lab.prepared(&PAIR, "frame1")?;
    host.boot()?;
    host.sh("mkdir -p /boot/extlinux; sync -f /boot")?;
    let entry =
        "DEFAULT gone\nLABEL gone\n  LINUX ../nixos/k\n  APPEND init=/nix/store/gone/init\n";
    std::fs::write(host.boot_folder().join("extlinux/extlinux.conf"), entry)?;
    host.sync()?;
    host.power_cut()?;
    let Err(error) = host.boot() else { anyhow::bail!("it booted") };
    let text = format!("{error:#}");
    ensure!(text.contains("frame1 did not boot") && text.contains("boot step"), "{text}");
    Ok(())
}
