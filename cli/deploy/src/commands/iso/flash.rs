//! Writes an image to a USB stick.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::failed;
use crate::{
    error::{Failure, Result},
    iso::{
        disk::{self, FoundDisk},
        disks::Disks,
        flash::{Flash, NotFlashed},
        image::BootImage,
    },
    outcome::{COULD_NOT_LOOK, INTERRUPTED, USAGE},
    question::{NotAgreed, ask_for_name},
    report::{DiskShown, Event, Report, VolumeShown},
    tools::terminal::Interrupts,
};

/// Lists the removable disks. 6: they could not be listed.
pub async fn list(report: &Report) -> u8 {
    match Disks::here().look().await {
        Ok(disks) => {
            let offered: Vec<&FoundDisk> = disks.iter().filter(|disk| disk.is_offered()).collect();
            if offered.is_empty() {
                let text = "no removable disk is here".to_owned();
                report.tell(Event::Warning { machine: None, text });
            }
            offered.into_iter().for_each(|disk| report.tell(Event::Disk(shown(disk))));
            0
        }
        Err(failure) => {
            report.tell(Event::Failed(failure));
            COULD_NOT_LOOK
        }
    }
}

/// Writes the image. 1: it was refused or failed; 2: there is no terminal to ask on; 130: it was
/// interrupted.
pub async fn run(device: &Path, image: &Path, interrupts: &mut Interrupts, report: &Report) -> u8 {
    let chosen = interrupts.unless_interrupted(choose(device, image, report)).await;
    let flash = match chosen {
        Some(Ok(flash)) => flash,
        Some(Err(failure)) => return failed(report, failure),
        None => return interrupted(report),
    };
    let node = flash.disk.node.display().to_string();
    let question = format!("All that is on {node} will be lost.");
    let asked = async { report.while_asking(ask_for_name(&question, &flash.disk.name)).await };
    match interrupts.unless_interrupted(asked).await {
        None => return interrupted(report),
        Some(Ok(())) => {}
        Some(Err(why)) => {
            let code = matches!(why, NotAgreed::Nobody(_)).then_some(USAGE);
            let refused = Failure::unchanged(format!("{node} is not overwritten")).because(why);
            let hint = format!("its name is {}; it has to be typed on a terminal", flash.disk.name);
            let failed = failed(report, refused.hint(Some(hint)));
            return code.unwrap_or(failed);
        }
    }
    let bytes = flash.image.bytes;
    let stop = Arc::new(AtomicBool::new(false));
    let tell = |step, bytes_done| {
        let device = node.clone();
        report.tell(Event::Flash { device, step, bytes: bytes_done, expected: bytes });
    };
    let work = flash.run(stop.clone(), tell);
    let mut work = std::pin::pin!(work);
    // The piece that is under way is let end: then it is known what the disk has.
    let ended = loop {
        tokio::select! {
            biased;
            _ = interrupts.next() => stop.store(true, Ordering::Relaxed),
            ended = &mut work => break ended,
        }
    };
    match ended {
        Ok(()) => {
            report.tell(Event::Flashed { device: node.clone(), bytes });
            0
        }
        Err(NotFlashed::Interrupted(failure)) => {
            report.tell(Event::Failed(failure));
            INTERRUPTED
        }
        Err(NotFlashed::Failed(failure)) => failed(report, failure),
    }
}

/// Finds the disk and the image, refuses what must not be, and shows what will be lost.
async fn choose(device: &Path, image: &Path, report: &Report) -> Result<Flash> {
    let disks = Disks::here();
    let found = disks.look().await?;
    let disk = disk::named(&found, device)?.clone();
    let image = BootImage::open(image)?;
    let flash = Flash { disks, disk, image };
    flash.refuse_unless_usable()?;
    flash.disk.refuse_without_permission()?;
    report.tell(Event::Disk(shown(&flash.disk)));
    Ok(flash)
}

fn interrupted(report: &Report) -> u8 {
    report.tell(Event::Failed(Failure::unchanged("interrupted before anything was written")));
    INTERRUPTED
}

fn shown(disk: &FoundDisk) -> DiskShown {
    let volume = |volume: &disk::Volume| VolumeShown {
        name: volume.name.clone(),
        bytes: volume.bytes,
        kind: volume.kind.clone(),
        label: volume.label.clone(),
        mounted: volume.mounted.iter().map(|folder| folder.display().to_string()).collect(),
    };
    DiskShown {
        device: disk.node.display().to_string(),
        model: disk.model.clone(),
        bytes: disk.bytes,
        volumes: disk.volumes.iter().map(volume).collect(),
    }
}
