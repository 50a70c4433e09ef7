//! An image written to a disk, from the last look at the disk to the last byte read back.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde::Serialize;
use tokio::{
    sync::mpsc::{self, UnboundedSender},
    task::spawn_blocking,
};

use super::{
    disk::FoundDisk,
    disks::Disks,
    image::BootImage,
    write::{self, NotWritten, OpenDisk},
};
use crate::error::{Failure, Result, State};

/// What is being done with the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FlashStep {
    /// The image is being written.
    Write,
    /// The disk is being read back and compared with the image.
    Compare,
}

/// Why a disk does not have the image.
#[derive(Debug)]
pub enum NotFlashed {
    /// The operator interrupted it; the disk is not usable.
    Interrupted(Box<Failure>),
    /// It failed.
    Failed(Box<Failure>),
}

/// A disk, and the image for it.
#[derive(Debug)]
pub struct Flash {
    /// How this computer describes its disks.
    pub disks: Disks,
    /// The disk, as the operator saw it.
    pub disk: FoundDisk,
    /// The image.
    pub image: BootImage,
}

/// What the thread that reads and writes has and tells.
struct Work {
    open: OpenDisk,
    image: BootImage,
    stop: Arc<AtomicBool>,
    tell: UnboundedSender<(FlashStep, u64)>,
}

impl Flash {
    /// Refuses what must not be overwritten.
    pub fn refuse_unless_usable(&self) -> Result<()> {
        self.disk.refuse_unless_usable(self.image.bytes)?;
        self.disk.refuse_own_image(&self.image.path)
    }

    /// Unmounts the disk, writes the image, and compares. `tell` gets the step and the bytes that are
    /// done; once `stop` is set, the work ends after the piece that is under way.
    pub async fn run(
        self,
        stop: Arc<AtomicBool>,
        mut tell: impl FnMut(FlashStep, u64),
    ) -> std::result::Result<(), NotFlashed> {
        let Self { disks, disk, image } = self;
        let open = begin(&disks, &disk).await.map_err(NotFlashed::Failed)?;
        let (sender, mut told) = mpsc::unbounded_channel();
        let work = Work { open, image, stop, tell: sender };
        let all = carry_out(work, &disks, &disk);
        let mut all = std::pin::pin!(all);
        let ended = loop {
            tokio::select! {
                biased;
                Some((step, bytes)) = told.recv() => tell(step, bytes),
                ended = &mut all => break ended,
            }
        };
        while let Ok((step, bytes)) = told.try_recv() {
            tell(step, bytes);
        }
        match ended {
            Ok(()) => {
                disks.eject(&disk).await;
                Ok(())
            }
            Err(NotWritten::Interrupted) => {
                let what = format!("interrupted before {} had the image", disk.node.display());
                Err(NotFlashed::Interrupted(not_usable(Failure::unchanged(what), &disk)))
            }
            Err(NotWritten::Failed(why)) => {
                let what = format!("{} does not have the image", disk.node.display());
                let mut failure = Failure::unchanged(what).because(why);
                if disks.look().await.is_ok_and(|now| !write::is_there(&disk, &now)) {
                    failure = failure.because("it is gone: was it pulled out?");
                }
                Err(NotFlashed::Failed(not_usable(failure, &disk)))
            }
        }
    }
}

/// Unmounts it, makes sure that it is the disk that was shown, and opens it.
async fn begin(disks: &Disks, disk: &FoundDisk) -> Result<OpenDisk> {
    disks.unmount(disk).await?;
    let node = disk.node.display();
    let is_same = |other: &&FoundDisk| {
        (&other.name, &other.model, other.bytes, &other.sequence)
            == (&disk.name, &disk.model, disk.bytes, &disk.sequence)
    };
    let now = disks.look().await?;
    let Some(now) = now.iter().find(is_same) else {
        return Err(Failure::unchanged(format!("{node} is not the disk any more that was shown"))
            .hint(Some("was it pulled out? deploy iso --flash lists the disks".into())));
    };
    if now.volumes.iter().any(|volume| !volume.mounted.is_empty()) {
        return Err(Failure::unchanged(format!("{node} was mounted again"))
            .hint(Some("close the program that mounts disks by itself".into())));
    }
    OpenDisk::open(disk).map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                "only root may write to a disk: sudo deploy iso --flash … --image FILE"
            }
            std::io::ErrorKind::ResourceBusy => "another program or namespace has it mounted",
            _ => "is it still plugged in?",
        };
        Failure::unchanged(format!("{node} cannot be written"))
            .because(error)
            .hint(Some(hint.to_owned()))
    })
}

/// The head is erased, the body written and compared, then the head.
async fn carry_out(
    work: Work,
    disks: &Disks,
    disk: &FoundDisk,
) -> std::result::Result<(), NotWritten> {
    let [body, head] = write::parts(work.image.bytes);
    let mut work = work;
    for (range, before) in [(body, 0), (head, body[1] - body[0])] {
        work = in_thread(work, move |work| {
            if before == 0 {
                work.open.erase_ends()?;
            }
            let told = &mut work.told(FlashStep::Write, before, range[0]);
            work.open.write(&work.image.file, range, told)
        })
        .await?;
        let forgot = disks.forget_what_was_written(disk).await;
        forgot.map_err(|why| NotWritten::Failed(format!("it cannot be read back: {why}")))?;
        work = in_thread(work, move |work| {
            let told = &mut work.told(FlashStep::Compare, before, range[0]);
            work.open.compare(&work.image.file, range, told)
        })
        .await?;
    }
    Ok(())
}

/// Works in a thread, because disks block. The work comes back.
async fn in_thread(
    work: Work,
    act: impl FnOnce(&Work) -> std::result::Result<(), NotWritten> + Send + 'static,
) -> std::result::Result<Work, NotWritten> {
    let done = spawn_blocking(move || act(&work).map(|()| work)).await;
    done.unwrap_or_else(|error| Err(NotWritten::Failed(error.to_string())))
}

impl Work {
    /// Tells how far a step is, counted from the beginning of both parts.
    fn told(&self, step: FlashStep, before: u64, from: u64) -> impl FnMut(u64) -> bool {
        move |at| {
            let _ = self.tell.send((step, before + at - from));
            !self.stop.load(Ordering::Relaxed)
        }
    }
}

fn not_usable(failure: Box<Failure>, disk: &FoundDisk) -> Box<Failure> {
    let node = disk.node.display();
    let state =
        format!("{node} is not usable: what was on it is lost, and no computer starts from it");
    failure
        .state(State::Changed(state))
        .hint(Some(format!("write it anew: deploy iso --flash {node}")))
}
