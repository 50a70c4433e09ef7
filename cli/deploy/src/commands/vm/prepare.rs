//! Builds the image and makes the disk, where there is none or a new one is wanted.

use super::choose::{self, ChosenVm};
use crate::{
    args::VmStartArgs,
    commands::linux_build,
    error::{Failure, Result},
    report::Report,
    vm::{
        computer::Computer,
        disks,
        folder::VmFolder,
        image::{IMAGE, VmImage},
    },
};

/// How a machine is built and made.
pub struct HowToMake {
    /// The size of the disk in MiB, instead of the image's.
    pub disk: Option<u32>,
    /// The program whose container builds it.
    pub container: Option<String>,
}

/// Builds what starts the machine, makes its disk, and puts both in their place.
pub async fn prepare(
    chosen: ChosenVm,
    folder: &VmFolder,
    how: &HowToMake,
    report: &Report,
) -> Result<()> {
    let ChosenVm { nix, machine, image } = chosen;
    linux_build::build(&nix, &machine, how.container.as_deref(), report).await?;
    let name = folder.name();
    let package = std::path::Path::new(image.out.as_str());
    let vm = VmImage::read(package, name)?;
    let sizes = nix.sizes(&image.out).await.map_err(|error| {
        Failure::unchanged(format!("the size of {name}'s store is not known")).because(error)
    })?;
    disks::refuse_without_room(name, &folder.path(), sizes.values().sum())?;
    report.note(name, "making its disk and the image of its store");
    disks::make(folder, &vm, how.disk.unwrap_or(vm.disk)).await?;
    let failed = |error: &dyn std::fmt::Display| {
        Failure::unchanged(format!("the disk of {name} cannot be kept")).because(error)
    };
    folder.take_over().map_err(|error| failed(&error))?;
    // The disk counts once this link is there, which is last.
    let link = folder.path().join(IMAGE);
    nix.root(&image.out, &link).await.map_err(|error| failed(&error))
}

/// The machine to start, and whether its disk is to be made.
pub async fn choose(
    args: &VmStartArgs,
    computer: &Computer,
    report: &Report,
) -> Result<(VmFolder, Option<ChosenVm>)> {
    let word = args.machine.as_deref();
    if let Some(name) = choose::name(word)? {
        let folder = VmFolder::named(&name)?;
        if folder.has_disk() && !args.fresh {
            return Ok((folder, None));
        }
    }
    let chosen = choose::choose(word, &args.showing.overrides(), computer, report).await?;
    let folder = VmFolder::named(&chosen.machine.name)?;
    let keeps = folder.has_disk() && !args.fresh;
    Ok((folder, (!keeps).then_some(chosen)))
}
