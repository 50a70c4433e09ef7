//! Power cuts during a commit, and a boot loader that does not do what its builder reported.

use anyhow::{Context, Result, ensure};
use deploy_wire::outcome::End;
use deploy_wire::phase::Phase;

use super::case::Case;
use super::hold::Place;
use super::lane::on_both_lanes;
use super::wanted::Wanted;
use crate::harness::Scenario;
use crate::scene::end;

pub const ALL: &[Scenario] = on_both_lanes![
    "a-power-cut-in-the-commit-before-the-loader-is-written-goes-back" => before,
    "a-power-cut-in-the-commit-after-the-loader-is-written-commits" => after,
    "a-loader-that-was-installed-and-boots-something-else-goes-back" => boots_another,
];

const RESTARTED: &str = "the machine was restarted during the commit";

/// Holds a deploy in its commit, cuts the power, and waits for the operator's report.
fn cut(case: &Case, place: Place) -> Result<crate::scene::Said> {
    let (running, _) = case.begin_held_at(place)?;
    let record = case.record()?;
    ensure!(record.phase == Phase::Committing, "held in {}", record.phase);
    let profile = case.frame1.sh("readlink -f /nix/var/nix/profiles/system")?;
    ensure!(profile == record.wanted.as_str(), "the profile is {profile}");
    // Sync everything written so far, so that the cut comes as late as possible.
    case.frame1.sync()?;
    case.frame1.power_cut_and_boot()?;
    end(running)
}

fn before(case: &Case) -> Result<()> {
    case.wants(&Wanted::new(2))?;
    for place in [Place::BootLoader, Place::BootLoaderHalf] {
        cut(case, place)?
            .ends(3, &["frame1 was rolled back", RESTARTED, "state: back on generation 1"])
            .with_context(|| format!("{place:?}"))?;
        case.recorded(End::RolledBack, RESTARTED)?;
        let profile = case.frame1.sh("readlink -f /nix/var/nix/profiles/system")?;
        ensure!(profile == case.before, "{place:?}: the profile is {profile}");
        case.ends_on(&case.before).with_context(|| format!("{place:?}"))?;
    }
    case.commits()
}

fn after(case: &Case) -> Result<()> {
    let wanted = case.wants(&Wanted::new(2))?;
    cut(case, Place::BootLoaderDone)?.ends(0, &["frame1: committed", RESTARTED])?;
    case.recorded(End::Committed, "")?;
    case.ends_on(&wanted)?;
    case.deploy("frame1")?.ends(0, &["already up to date"])
}

/// The builder succeeds, but the menu is another one: two disks, another tool, a restored file.
fn boots_another(case: &Case) -> Result<()> {
    case.wants(&Wanted::new(2))?;
    case.frame1.sh("cp /boot/grub/grub.cfg /boot/grub/before")?;
    let (running, held) = case.begin_held_at(Place::BootLoaderDone)?;
    case.frame1.sh("mv /boot/grub/before /boot/grub/grub.cfg; sync -f /boot")?;
    held.go()?;
    let why = format!("the boot loader was installed, but {} is its default", case.before);
    end(running)?.ends(3, &["frame1 was rolled back", &why, "state: back on generation 1"])?;
    case.recorded(End::RolledBack, &why)?;
    case.ends_on(&case.before)?;
    case.commits()
}
