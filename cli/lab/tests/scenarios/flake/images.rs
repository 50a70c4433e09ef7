//! Images that are built instead of a system: the installer and a virtual machine.

use anyhow::{Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::systems::{HOMELAB, Homelab};

use super::Home;
use crate::harness::Scenario;
use crate::scene::Said;

pub const ALL: &[Scenario] = &[
    Scenario::new("an-installer-image-is-planned-and-built-and-never-deployed-to", installer)
        .unless(|| HOMELAB.missing()),
    Scenario::new("a-virtual-machine-is-planned-and-built-as-what-starts-it", virtual_machine)
        .unless(|| HOMELAB.missing()),
];

fn installer(lab: &mut Lab) -> Result<()> {
    let home = Home::new(lab)?;
    home.has(&Homelab::default())?;
    let image = "/iso/installer-iso.iso";
    let planned = home.deploy("plan installer-iso")?;
    planned.ends(0, &[image, "to build: "])?;
    ensure!(!planned.text.contains("to build: nothing"), "it is built already");
    let said = home.deploy("build installer-iso")?;
    said.ends(0, &[])?;
    home.mac.sh(&format!("test -f {}", printed(&said, image)?))?;
    home.deploy("plan installer-iso")?.ends(0, &[image, "to build: nothing"])?;
    for command in ["installer-iso", "push installer-iso", "rollback installer-iso"] {
        let refused = ["error: installer-iso is an image, not a machine", "nothing was changed"];
        home.deploy(command)?.ends(1, &refused)?;
    }
    Ok(())
}

/// A virtual machine that does not run can be planned and built nevertheless.
fn virtual_machine(lab: &mut Lab) -> Result<()> {
    let home = Home::new(lab)?;
    home.has(&Homelab::default())?;
    // One image is for a Mac with a guest of another platform. The stubs are scripts, so this host
    // can run them.
    home.mac.sh("echo extra-platforms = aarch64-linux aarch64-darwin >> /etc/nix/nix.conf")?;
    for name in ["frame1-vm", "frame1-vm-x86"] {
        let start = format!("/bin/run-{name}-vm");
        let off = format!("{name}: only its image is planned");
        home.deploy(&format!("plan {name}"))?.ends(0, &[&start, "to build: ", &off])?;
        let said = home.deploy(&format!("build {name}"))?;
        said.ends(0, &[])?;
        home.mac.sh(&format!("test -x {}", printed(&said, &start)?))?;
    }
    Ok(())
}

/// The printed store path that has this end.
fn printed<'s>(said: &'s Said, end: &str) -> Result<&'s str> {
    let path = said.text.split_whitespace().rfind(|word| word.ends_with(end));
    let path = path.filter(|path| path.starts_with("/nix/store/"));
    ensure!(path.is_some(), "no path of {end} was printed:\n{}", said.text);
    Ok(path.unwrap_or_default())
}
