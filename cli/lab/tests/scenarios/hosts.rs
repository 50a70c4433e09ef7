//! A host behaves like a separate machine.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::{HostSpec, Lab, Places, access, wait};
use deploy_lab::systems::PAIR;

use crate::harness::Scenario;

pub const ALL: &[Scenario] = &[
    Scenario::new("two-hosts-are-two-machines", two_machines),
    Scenario::new("a-boot-is-a-new-boot-of-the-same-machine", new_boot_same_machine),
    Scenario::new("a-copy-under-another-name-is-another-machine", copy),
    Scenario::new("a-host-with-nixos-s-places-has-nothing-where-debian-has-it", nixos_places),
    Scenario::new("freezing-a-service-on-one-host-leaves-the-other-running", freezing),
    Scenario::new("a-command-is-killed-with-all-it-started", killed_command),
    Scenario::new("the-machine-s-own-switches-are-out-of-reach", own_switches),
    Scenario::new("the-operator-logs-in-and-uses-sudo", logins),
    Scenario::new("a-changed-host-key-is-refused", changed_host_key),
];

const IDENTITY: &str = "cat /etc/machine-id /proc/sys/kernel/random/boot_id \
                        /etc/ssh/ssh_host_ed25519_key.pub /etc/hostname";

fn two_machines(lab: &mut Lab) -> Result<()> {
    let mac = lab.prepared(&PAIR, "mac")?;
    let frame1 = lab.prepared(&PAIR, "frame1")?;
    for host in [&mac, &frame1] {
        host.boot()?;
        let uptime: f64 = host.sh("cut -d' ' -f1 /proc/uptime")?.parse()?;
        ensure!(uptime < 30.0, "{} is up for {uptime} s already", host.name());
    }
    let (left, right) = (mac.sh(IDENTITY)?, frame1.sh(IDENTITY)?);
    for (left, right) in left.lines().zip(right.lines()) {
        ensure!(left != right && !left.is_empty(), "both hosts have {left}");
    }
    ensure!(left.lines().count() == 4, "an identity has four lines: {left}");
    ensure!(mac.sh("hostname")? == "mac" && frame1.sh("hostname")? == "frame1", "wrong names");
    Ok(())
}

fn new_boot_same_machine(lab: &mut Lab) -> Result<()> {
    let host = lab.prepared(&PAIR, "frame1")?;
    host.boot()?;
    let before = host.sh(IDENTITY)?;
    host.halt()?;
    host.boot()?;
    let after = host.sh(IDENTITY)?;
    let same: Vec<bool> = before.lines().zip(after.lines()).map(|(a, b)| a == b).collect();
    ensure!(same == [true, false, true, true], "{before}\nbecame\n{after}");
    Ok(())
}

fn copy(lab: &mut Lab) -> Result<()> {
    let mac = lab.prepared(&PAIR, "mac")?;
    let frame1 = lab.prepared(&PAIR, "frame1")?;
    let frame2 = lab.prepared_as(&PAIR, "frame1", HostSpec::named("frame2")?)?;
    for host in [&mac, &frame1, &frame2] {
        host.boot()?;
    }
    let (one, two) = (frame1.sh(IDENTITY)?, frame2.sh(IDENTITY)?);
    ensure!(one.lines().zip(two.lines()).all(|(one, two)| one != two), "{one}\nand\n{two}");
    frame2.wait_until_up()?;
    access::connect(&mac, &frame2)?;
    ensure!(mac.sh("ssh frame2 hostname")? == "frame2", "another machine answered");
    Ok(())
}

fn nixos_places(lab: &mut Lab) -> Result<()> {
    let mac = lab.prepared(&PAIR, "mac")?;
    let spec = HostSpec::named("frame1")?.with_programs_in(Places::Nixos);
    let frame1 = lab.prepared_as(&PAIR, "frame1", spec)?;
    mac.boot()?;
    frame1.boot()?;
    frame1.wait_until_up()?;
    ensure!(
        frame1.sh("systemctl is-system-running")? == "running",
        "{}",
        frame1.sh("systemctl --failed")?
    );
    let places = frame1.sh("ls /bin /usr/bin /sbin; ls /lib64 2>&1 || :")?;
    let usual = "env\nmount\nsh\numount";
    ensure!(
        places
            .starts_with(&format!("/bin:\n{usual}\n\n/sbin:\nunix_chkpwd\n\n/usr/bin:\n{usual}\n")),
        "{places}"
    );
    ensure!(places.ends_with("No such file or directory"), "{places}");
    // A plain host has no system, so a login's PATH is empty. This is a stand-in.
    let bare = mac.command(["ssh", "admin@frame1", "systemctl --version"]).run()?;
    ensure!(bare.code == 127, "{bare:?}");
    frame1.sh("mkdir /run/current-system; ln -s /usr/lib/lab /run/current-system/sw")?;
    let user =
        mac.sh("ssh admin@frame1 'systemctl --version > /dev/null; sudo id -un; echo $PATH'")?;
    ensure!(user == "root\n/run/wrappers/bin:/run/current-system/sw/bin", "{user}");
    let build = "nix build --impure --no-link --print-out-paths --expr 'derivation { name = \"x\"; \
                 system = builtins.currentSystem; builder = \"/bin/sh\"; args = [ \"-c\" \"echo > $out\" ]; }'";
    mac.sh(&format!("ssh admin@frame1 {}", shell_word(build)))?;
    // An unmodified Debian program does not find its loader.
    std::fs::copy(mac.root().join("usr/bin/true"), frame1.root().join("root/dynamic"))?;
    let dynamic = frame1.command(["/root/dynamic"]).run()?;
    ensure!(dynamic.code == 127, "{dynamic:?}");
    Ok(())
}

fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn freezing(lab: &mut Lab) -> Result<()> {
    let mac = lab.prepared(&PAIR, "mac")?;
    let frame1 = lab.prepared(&PAIR, "frame1")?;
    for host in [&mac, &frame1] {
        host.boot()?;
        host.wait_until_up()?;
    }
    mac.sh("systemctl freeze ssh.service")?;
    ensure!(mac.wait_for_ssh(Duration::from_secs(1)).is_err(), "mac's sshd is not frozen");
    frame1.wait_for_ssh(wait::PATIENCE)?;
    mac.sh("systemctl thaw ssh.service")?;
    mac.wait_for_ssh(wait::PATIENCE)
}

fn killed_command(lab: &mut Lab) -> Result<()> {
    let host = lab.prepared(&PAIR, "mac")?;
    host.boot()?;
    let mut command =
        host.command(["sh", "-c", "setsid sleep 1001 & echo begun; sleep 1002"]).spawn()?;
    wait::until("the command runs", wait::PATIENCE, || {
        Ok(command.stdout()?.contains("begun") && host.sh("pgrep -c sleep || :")? == "2")
    })?;
    command.kill()?;
    // A killed process is visible until process 1 reaps it.
    wait::until("nothing is left", wait::PATIENCE, || {
        Ok(host.sh("pgrep -a sleep || :")?.is_empty())
    })
}

fn own_switches(lab: &mut Lab) -> Result<()> {
    let host = lab.prepared(&PAIR, "mac")?;
    host.boot()?;
    // A kernel without the magic key has no such file.
    let trigger = host.sh("[ ! -e /proc/sysrq-trigger ] || stat -c %t:%T /proc/sysrq-trigger")?;
    ensure!(trigger.is_empty() || trigger == "1:3", "it is not /dev/null but {trigger}");
    let write = host.command(["sh", "-c", "echo 1 > /proc/sys/kernel/panic"]).run()?;
    ensure!(write.code != 0, "/proc/sys is writable");
    host.sh("sysctl -q net.ipv4.ip_forward=1").map(drop)
}

fn logins(lab: &mut Lab) -> Result<()> {
    let mac = lab.prepared(&PAIR, "mac")?;
    let frame1 = lab.prepared(&PAIR, "frame1")?;
    mac.boot()?;
    frame1.boot()?;
    frame1.wait_for_ssh(wait::PATIENCE)?;
    ensure!(mac.sh("ssh frame1 hostname")? == "frame1", "another machine answered");
    ensure!(mac.sh("ssh admin@frame1 sudo -n id -un")? == "root", "no sudo for admin");
    let asked = mac.command(["ssh", "askadmin@frame1", "sudo -n id -un"]).run()?;
    ensure!(asked.code == 1 && asked.stderr.contains("password"), "{asked:?}");
    let password = format!("{}\n", deploy_lab::hosts::ASKADMIN_PASSWORD);
    let told = mac.command(["ssh", "askadmin@frame1", "sudo -S id -un"]).stdin(password).run()?;
    ensure!(told.success()?.stdout == "root\n", "no sudo for askadmin");
    Ok(())
}

fn changed_host_key(lab: &mut Lab) -> Result<()> {
    let mac = lab.prepared(&PAIR, "mac")?;
    let frame1 = lab.prepared(&PAIR, "frame1")?;
    mac.boot()?;
    frame1.boot()?;
    frame1.wait_until_up()?;
    frame1.sh("rm /etc/ssh/ssh_host_*; ssh-keygen -A; systemctl restart ssh")?;
    frame1.wait_for_ssh(wait::PATIENCE)?;
    let refused = mac.command(["ssh", "frame1", "true"]).run()?;
    ensure!(
        refused.code == 255 && refused.stderr.contains("REMOTE HOST IDENTIFICATION HAS CHANGED"),
        "{refused:?}"
    );
    Ok(())
}
