//! `deploy --rehearse`.

use anyhow::{Result, ensure};
use deploy_lab::hosts::{DiskSize, HostSpec, Lab, Places, access};
use deploy_lab::systems::{BASELINE, Fleet, Generation};
use serde_json::json;

use super::{Desk, STATE, manifest, nothing_is_left};

/// A machine whose virtual machine does not pass its checks is not deployed to.
pub fn keeps_the_machine(lab: &mut Lab) -> Result<()> {
    let size = DiskSize { disk_mib: 6144, boot_mib: 32 };
    let spec = HostSpec::named("mac")?.with_programs_in(Places::Vm).sized(size);
    let desk = Desk::at(lab.prepared_as(&BASELINE, "mac", spec)?)?;
    let frame1 = lab.prepared(&BASELINE, "frame1")?;
    frame1.boot()?;
    frame1.wait_until_up()?;
    access::connect(&desk.mac, &frame1)?;
    let before = desk.mac.sh("ssh frame1 readlink /run/current-system")?;
    let frame1_at = |number| {
        let timeouts = json!({ "check": 20 });
        Fleet::of("frame1", Generation::new("frame1", number)).node("frame1", "timeouts", timeouts)
    };
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
    let after = desk.mac.sh("ssh frame1 readlink /run/current-system")?;
    ensure!(after == before, "frame1 runs {after}, not {before}");
    desk.has(frame1_at(3), 3, |generation| generation)?;
    desk.deploy("frame1 --rehearse")?.ends(
        0,
        &["frame1: rehearsed: all 1 declared checks pass; a virtual machine does not", "committed"],
    )?;
    ensure!(desk.mac.sh(&format!("ls {STATE}* 2> /dev/null || :"))?.is_empty(), "a disk is left");
    nothing_is_left(&desk)
}
