//! systemd-boot: the system that it starts, and the effect of power cuts on its partition.

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::systems::{FOLDER, Generation, Image, Lane};
use deploy_wire::phase::Phase;

use crate::faults::case::Case;
use crate::faults::hold::Place;
use crate::harness::Scenario;
use crate::scene::{Scene, end};

pub const ALL: &[Scenario] = &[
    Scenario::new(
        "systemd-boot-is-read-and-a-commit-that-a-power-cut-left-half-done-is-mended",
        mended,
    ),
    Scenario::new(
        "systemd-boot-with-a-truncated-kernel-or-a-corrupt-entry-boots-it-all-the-same",
        damaged,
    ),
    Scenario::new("systemd-boot-with-a-damaged-generation-is-refused", refused),
];

/// The machine of the baseline with systemd-boot instead of GRUB.
fn case(lab: &mut Lab) -> Result<Case> {
    let case = Case::new(lab, Lane::StandIn)?;
    case.frame1.sh(
        "rm -r /boot/grub /boot/kernels; mkdir -p /boot/loader/entries /boot/EFI/nixos
         NIXOS_NO_CHECK=1 /run/current-system/bin/switch-to-configuration boot
         grep -qx 'default nixos-generation-1.conf' /boot/loader/loader.conf; sync -f /boot",
    )?;
    Ok(case)
}

fn generation(case: &Case, number: u32) -> Result<String> {
    Scene::wants(case, Generation::new("frame1", number))?;
    case.wanted()
}

fn commits(case: &Case, wanted: &str) -> Result<()> {
    case.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    let again = case.deploy("frame1")?;
    again.ends(0, &["already up to date"])?;
    ensure!(!again.text.contains("not known"), "{}", again.text);
    case.ends_on(wanted)
}

fn mended(lab: &mut Lab) -> Result<()> {
    let case = case(lab)?;
    let wanted = generation(&case, 2)?;
    commits(&case, &wanted)?;
    case.deploy("status frame1")?.ends(0, &[&format!("boots:     {wanted}")])?;

    let next = generation(&case, 3)?;
    let (running, _) = case.begin_held_at(Place::BootLoaderHalf)?;
    ensure!(case.record()?.phase == Phase::Committing, "not in the commit");
    case.frame1.sync()?;
    case.frame1.power_cut_and_boot()?;
    case.frame1.sh("test -e /boot/loader/loader.tmp").context("nothing was left half done")?;
    end(running)?.ends(3, &["frame1 was rolled back", "state: back on generation 2"])?;
    case.frame1.sh("test ! -e /boot/loader/loader.tmp")?;
    case.ends_on(&wanted)?;
    commits(&case, &next)
}

fn damaged(lab: &mut Lab) -> Result<()> {
    let case = case(lab)?;
    commits(&case, &generation(&case, 2)?)?;
    case.frame1.sh("head -c 300 /dev/urandom > /boot/loader/entries/nixos-generation-1.conf")?;
    case.deploy("frame1")?.ends(0, &["already up to date"])?;

    let kernel = Image::new("6.12.9", 128);
    Scene::wants(&case, Generation::new("frame1", 3).kernel(kernel))?;
    let toplevel = "nixosConfigurations.frame1.config.system.build.toplevel";
    let file = case.mac.sh(&format!(
        "readlink -f $(nix build --no-link --print-out-paths {FOLDER}#{toplevel})/kernel"
    ))?;
    let copy = file.trim_start_matches("/nix/store/").replace('/', "-");
    case.frame1
        .sh(&format!("head -c 1000 /dev/zero > /boot/EFI/nixos/{copy}.efi; sync -f /boot"))?;
    commits(&case, &case.wanted()?)
}

fn refused(lab: &mut Lab) -> Result<()> {
    let case = case(lab)?;
    let two = generation(&case, 2)?;
    commits(&case, &two)?;
    let three = generation(&case, 3)?;
    commits(&case, &three)?;
    case.frame1.sh(&format!(
        "file=$(readlink -f {two}/boot.json); rm -f $file; echo '{{ \"org' > $file; sync -f $file"
    ))?;
    let four = generation(&case, 4)?;
    let said = case.deploy("frame1")?;
    said.ends(1, &["the boot.json of generation 2 is damaged", "--delete-generations 2"])?;
    // After a refused deploy nobody syncs what was pushed.
    case.frame1.sync()?;
    case.ends_on(&three)?;
    case.frame1.sh("nix-env --profile /nix/var/nix/profiles/system --delete-generations 2")?;
    commits(&case, &four)
}
