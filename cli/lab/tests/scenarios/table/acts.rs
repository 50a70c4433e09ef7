//! What is done to a machine and the way to it while a deploy is held, whoever deploys.
//! Each says what was done.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::{Host, Link, Output, Running, wait, wall_clock};

use super::hold::{Held, REACHED};
use super::operator::Operator;

/// How long a cut, or a sleep before anything has a deadline, lasts.
pub const MOMENT: Duration = Duration::from_secs(2);

/// Seconds.
const DAY: i64 = 24 * 3600;

const BOOT_ID: &str = "cat /proc/sys/kernel/random/boot_id";

/// The cable is cut and joined before the deploy goes on.
pub fn cut_for_a_moment(machine: &Host, held: Held) -> Result<String> {
    machine.link(Link::Cut)?;
    std::thread::sleep(MOMENT);
    machine.link(Link::Joined)?;
    held.go()?;
    Ok("the cable was cut for 2 s".into())
}

/// A day ahead, beyond every deadline; then to the day before.
pub fn jump_the_clock(machine: &Host, held: Held) -> Result<String> {
    let mut days = Vec::new();
    for jump in [DAY, -2 * DAY] {
        days.push(machine.sh("date +%F")?);
        wall_clock::jump(jump)?;
        // What a wall clock would set off comes now.
        std::thread::sleep(MOMENT);
    }
    days.push(machine.sh("date +%F")?);
    held.go()?;
    Ok(format!("it was {}", days.join(", then ")))
}

/// The power goes and comes back.
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

/// systemd takes everything down and starts again, with the kernel left alone.
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

/// A soft-reboot keeps /run and the fifos in it, and ends who stands at them.
fn gone(held: Held) -> Result<Option<Held>> {
    match held {
        Held::Fifo { .. } => held.for_ever().map(|()| None),
        other => Ok(Some(other)),
    }
}

/// What a restart of the machine has ended needs no word; a road or an admission does.
fn free(held: Held) -> Result<()> {
    match held {
        Held::Fifo { .. } | Held::Check(_) => Ok(()),
        other => other.go(),
    }
}

/// The disk below `folder` has no byte left.
pub fn fill(machine: &Host, folder: &str, held: Held) -> Result<String> {
    // The file system keeps some back from a large file; small ones get it all.
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

/// What runs as long as the value lives: systemd reloads its units, once a second.
pub fn reloads(machine: &Host) -> Result<Running> {
    machine.command(["sh", "-c", "while :; do systemctl daemon-reload; sleep 1; done"]).spawn()
}

/// Old generations go away, and what only they needed. What runs and what was booted stays: as
/// on NixOS these are roots.
pub fn collect_garbage(machine: &Host, held: Held) -> Result<String> {
    machine.sh("ln -sfn /run/current-system /run/booted-system /nix/var/nix/gcroots/")?;
    let said = machine.sh("nix-collect-garbage --delete-old 2>&1 | tail -n 1")?;
    ensure!(said.contains("store paths deleted"), "nix-collect-garbage says {said}");
    held.go()?;
    Ok(said)
}

/// As nixos-rebuild does: the profile first, then the switch, which needs the lock.
pub fn switch_to(machine: &Host, system: &str) -> Result<Output> {
    let script = "nix-env --profile /nix/var/nix/profiles/system --set \"$1\" && \
                  exec \"$1/bin/switch-to-configuration\" switch";
    let output = machine.command(["sh", "-c", script, "sh", system]).run()?;
    // Nobody has made sure that what it wrote is on the disk, and that is not tested here.
    machine.sync()?;
    Ok(output)
}

/// What a second operator does before the first one's deploy goes on. Where new logins are
/// held, which are the second one's as well, the first one stands still instead.
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
