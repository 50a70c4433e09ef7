//! `deploy --rehearse`.

use anyhow::{Result, ensure};
use deploy_lab::hosts::{DiskSize, Host, HostSpec, Lab, Places, access, wait};
use deploy_lab::systems::{BASELINE, Fleet, Generation};
use serde_json::json;

use super::{Desk, SLOW, STATE, manifest, nothing_is_left};
use crate::scene::{Said, line};

/// A desk, and frame1, which it can log in to.
fn desk_and_frame1(lab: &mut Lab) -> Result<(Desk, Host)> {
    let size = DiskSize { disk_mib: 6144, boot_mib: 32 };
    let spec = HostSpec::named("mac")?.with_programs_in(Places::Vm).sized(size);
    let desk = Desk::at(lab.prepared_as(&BASELINE, "mac", spec)?)?;
    let frame1 = lab.prepared(&BASELINE, "frame1")?;
    frame1.boot()?;
    frame1.wait_until_up()?;
    access::connect(&desk.mac, &frame1)?;
    Ok((desk, frame1))
}

/// A fleet with this generation of frame1.
fn frame1_at(number: u32) -> Fleet {
    let timeouts = json!({ "check": 20 });
    Fleet::of("frame1", Generation::new("frame1", number)).node("frame1", "timeouts", timeouts)
}

fn runs(desk: &Desk) -> Result<String> {
    desk.mac.sh("ssh frame1 readlink /run/current-system")
}

/// Ctrl-C while its disk is made, as its guest is started, and while the guest boots.
pub fn is_interrupted(lab: &mut Lab) -> Result<()> {
    let (desk, _frame1) = desk_and_frame1(lab)?;
    let before = runs(&desk)?;
    desk.has(frame1_at(2), 2, |generation| generation)?;
    for word in ["rehearsing as frame1-vm", "making its disk", "starting (at most"] {
        let command = line("frame1 --rehearse");
        let mut terminal = desk.mac.command(["sh", "-c", &command]).on_terminal()?;
        wait::until(word, SLOW, || Ok(terminal.shown()?.contains(word)))?;
        terminal.types("\x03")?;
        Said::of(&terminal.wait(SLOW)?).ends(130, &["interrupted"])?;
        let left = desk.mac.sh(&format!("ls {STATE}* 2> /dev/null || :"))?;
        ensure!(left.is_empty(), "interrupted at `{word}`, it left {left}");
        nothing_is_left(&desk)?;
    }
    let after = runs(&desk)?;
    ensure!(after == before, "frame1 runs {after}, not {before}");
    Ok(())
}

/// A machine whose virtual machine does not pass its checks is not deployed to.
pub fn keeps_the_machine(lab: &mut Lab) -> Result<()> {
    let (desk, _frame1) = desk_and_frame1(lab)?;
    let before = runs(&desk)?;
    desk.has(frame1_at(2), 2, |generation| {
        generation.etc("deploy-agent/manifest.json", &manifest("missing.service"))
    })?;
    desk.deploy("frame1 --rehearse")?.ends(
        1,
        &[
            "error: frame1 was not deployed to: its rehearsal failed",
            "cause: its checks do not pass",
            "fails unit: ",
            "state: nothing was changed",
        ],
    )?;
    let after = runs(&desk)?;
    ensure!(after == before, "frame1 runs {after}, not {before}");
    desk.has(frame1_at(3), 3, |generation| generation)?;
    desk.deploy("frame1 --rehearse")?.ends(
        0,
        &["frame1: rehearsed: all 1 declared checks pass; a virtual machine does not", "committed"],
    )?;
    ensure!(desk.mac.sh(&format!("ls {STATE}* 2> /dev/null || :"))?.is_empty(), "a disk is left");
    nothing_is_left(&desk)
}
