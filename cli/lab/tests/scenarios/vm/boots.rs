//! What a virtual machine boots after a commit, a restart and a power cut.

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::{Lab, wait};

use super::{Desk, NAME, SLOW, nothing_is_left};
use crate::scene::{Said, line};

pub fn what_was_committed(lab: &mut Lab) -> Result<()> {
    let desk = Desk::new(lab)?;
    desk.start()?;
    // Committed: a restart boots it, and so does a start from nothing.
    desk.wants(2, |generation| generation)?;
    desk.deploy(NAME)?.ends(0, &["committed"])?;
    let second = desk.wanted()?;
    let boot = desk.inside("cat /proc/sys/kernel/random/boot_id")?;
    desk.deploy(&format!("vm ssh {NAME} -- systemctl reboot"))?;
    wait::until("it restarts", SLOW, || {
        let now = desk
            .deploy(&format!("vm ssh {NAME} -- cat /proc/sys/kernel/random/boot_id 2>&1 || :"))?;
        Ok(now.code == 0 && now.text.trim().len() == boot.len() && now.text.trim() != boot)
    })?;
    desk.is_on(&second)?;
    desk.deploy(&format!("vm stop {NAME}"))?.ends(0, &["is off"])?;
    desk.start()?;
    desk.is_on(&second)?;

    // The power is cut while it waits for the confirmation.
    desk.wants(3, |generation| generation.without_sshd())?;
    let running = desk.mac.command(["sh", "-c", &line(NAME)]).spawn()?;
    wait::until("it waits for a new login", SLOW, || {
        Ok(running.stdout()?.contains("waiting for a new login"))
    })?;
    desk.cut()?;
    desk.start()?.ends(0, &["it went off the last time: qemu ended with signal: 9"])?;
    desk.is_on(&second)?;
    let said = Said::of(&running.wait(SLOW).context("deploy did not end")?);
    ensure!([3, 5].contains(&said.code), "{}: {}", said.code, said.text);

    // The power is cut the moment it is committed.
    desk.wants(4, |generation| generation)?;
    desk.deploy(NAME)?.ends(0, &["committed"])?;
    desk.cut()?;
    desk.start()?;
    desk.is_on(&desk.wanted()?)?;
    desk.deploy(&format!("vm stop {NAME}"))?.ends(0, &["is off"])?;
    nothing_is_left(&desk)
}
