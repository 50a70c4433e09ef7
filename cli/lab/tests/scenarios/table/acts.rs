//! Faults of a machine and its network while a deploy is held, for `deploy` and deploy-rs alike.
//! Each returns a description of what was done.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::{Host, Link, Output, Running, wait, wall_clock};

use super::hold::{Held, REACHED};
use super::operator::Operator;

/// The length of a cut, or of a sleep in phases without a deadline.
pub const MOMENT: Duration = Duration::from_secs(2);

/// A day in seconds.
const DAY: i64 = 24 * 3600;

const BOOT_ID: &str = "cat /proc/sys/kernel/random/boot_id";

/// Cuts the cable and joins it again before the deploy continues.
pub fn cut_for_a_moment(machine: &Host, held: Held) -> Result<String> {
    machine.link(Link::Cut)?;
    std::thread::sleep(MOMENT);
    machine.link(Link::Joined)?;
    held.go()?;
    Ok("the cable was cut for 2 s".into())
}

/// Moves the clock a day ahead, beyond every deadline, and then to the day before.
pub fn jump_the_clock(machine: &Host, held: Held) -> Result<String> {
    let mut days = Vec::new();
    for jump in [DAY, -2 * DAY] {
        days.push(machine.sh("date +%F")?);
        wall_clock::jump(jump)?;
        // Leave time for what the wall clock triggers.
        std::thread::sleep(MOMENT);
    }
    days.push(machine.sh("date +%F")?);
    held.go()?;
    Ok(format!("it was {}", days.join(", then ")))
}

/// Cuts the power and boots again.
pub fn power_cut(machine: &Host, held: Held) -> Result<String> {
    let id = machine.sh(BOOT_ID)?;
    machine.power_cut()?;
    free(held)?;
    machine.boot()?;
    machine.wait_until_up()?;
    let up: f64 = machine.sh("cut -d ' ' -f 1 /proc/uptime")?.parse()?;
    ensure!(up < REACHED.as_secs_f64(), "it is up for {up} s");
    let again = machine.sh(BOOT_ID)?;
    Ok(if id == again { "powered off and on" } else { "another boot id" }.into())
}

/// systemd stops everything and starts again; the kernel keeps running.
pub fn soft_reboot(machine: &Host, held: Held) -> Result<String> {
    let held = gone(held)?;
    machine.sh("systemctl --no-block soft-reboot")?;
    wait::until("the machine starts anew", REACHED, || {
        let count = machine.command(["systemctl", "show", "--value", "-p", "SoftRebootsCount"]);
        Ok(count.run().is_ok_and(|output| output.stdout.trim() == "1"))
    })?;
    held.map_or(Ok(()), free)?;
    machine.wait_until_up()?;
    Ok("SoftRebootsCount=1".into())
}

/// A soft-reboot keeps /run with its fifos, but ends the processes that wait at them.
fn gone(held: Held) -> Result<Option<Held>> {
    match held {
        Held::Fifo { .. } => held.for_ever().map(|()| None),
        other => Ok(Some(other)),
    }
}

/// Releases a hold. A restart has already ended a held program, but not a held network.
fn free(held: Held) -> Result<()> {
    match held {
        Held::Fifo { .. } | Held::Check(_) => Ok(()),
        other => other.go(),
    }
}

/// Fills the disk below `folder` to the last byte.
pub fn fill(machine: &Host, folder: &str, held: Held) -> Result<String> {
    // The file system reserves space from a large file; small files get the rest.
    machine.fill(folder, 1 << 20)?;
    machine.sh(&format!(
        "mkdir {folder}/lab-rest; cd {folder}/lab-rest; sync -f .; n=0
         while head -c 4096 /dev/zero 2> /dev/null > $n && sync -f .; do n=$((n + 1)); done; true"
    ))?;
    let script = format!("stat -f -c %a {folder}");
    let free: u64 = machine.sh(&script)?.parse()?;
    ensure!(free < 4, "{folder} has {free} blocks left");
    held.go()?;
    Ok(format!("{free} blocks left on {folder}"))
}

/// Makes systemd reload its units every second, as long as the value lives.
pub fn reloads(machine: &Host) -> Result<Running> {
    machine.command(["sh", "-c", "while :; do systemctl daemon-reload; sleep 1; done"]).spawn()
}

/// Deletes old generations and the paths that only they need. The running and the booted system
/// stay, because they have roots, as on NixOS.
pub fn collect_garbage(machine: &Host, held: Held) -> Result<String> {
    machine.sh("ln -sfn /run/current-system /run/booted-system /nix/var/nix/gcroots/")?;
    let said = machine.sh("nix-collect-garbage --delete-old 2>&1 | tail -n 1")?;
    ensure!(said.contains("store paths deleted"), "nix-collect-garbage says {said}");
    held.go()?;
    Ok(said)
}

/// Acts like nixos-rebuild: it sets the profile first and then switches, which needs the lock.
pub fn switch_to(machine: &Host, system: &str) -> Result<Output> {
    let script = "nix-env --profile /nix/var/nix/profiles/system --set \"$1\" && \
                  exec \"$1/bin/switch-to-configuration\" switch";
    let output = machine.command(["sh", "-c", script, "sh", system]).run()?;
    // Nobody has synced what it wrote, and that is not under test here.
    machine.sync()?;
    Ok(output)
}

/// Runs a second operator before the first one's deploy continues. If the network holds new logins,
/// it would hold the second operator as well, so the first `deploy` is stopped instead.
pub fn second_operator<T>(
    first: &Operator,
    held: Held,
    second: impl FnOnce() -> Result<T>,
) -> Result<T> {
    if !matches!(held, Held::Login(_)) {
        let done = second()?;
        held.go()?;
        return Ok(done);
    }
    first.freeze()?;
    held.go()?;
    let done = second()?;
    first.thaw()?;
    Ok(done)
}
