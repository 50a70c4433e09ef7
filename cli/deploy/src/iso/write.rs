//! Writes an image to a disk and reads it back.
//!
//! The first MiB, which firmware starts from, is erased first and written last, when the rest was
//! read back: no computer starts from a disk that has only a part of the image, however `deploy`
//! ended. `a_disk_without_the_whole_image_has_no_boot_sector` proves it.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
};

use rustix::fs::OFlags;

use super::disk::FoundDisk;

/// The part that firmware starts from, with both tables of partitions.
pub const HEAD: u64 = 1 << 20;

/// How much is written or read at once.
const PIECE: usize = 4 << 20;

/// Raw devices take whole blocks.
const BLOCK: usize = 4096;

/// Why the work stopped.
#[derive(Debug)]
pub enum NotWritten {
    /// It was interrupted.
    Interrupted,
    /// It failed; the text says at which byte and why.
    Failed(String),
}

/// Is told after each piece how many bytes are done, and says whether to go on.
pub type Told<'t> = &'t mut dyn FnMut(u64) -> bool;

/// A disk that is open for `deploy` alone.
#[derive(Debug)]
pub struct OpenDisk {
    file: File,
    bytes: u64,
    /// Whether the kernel keeps what is written in its memory.
    buffered: bool,
}

impl OpenDisk {
    /// Opens it. The kernel refuses a disk that is mounted, also out of sight of this process, and
    /// refuses to mount it until it is closed: `a_disk_that_is_mounted_after_all_is_not_opened`.
    pub fn open(disk: &FoundDisk) -> io::Result<Self> {
        let exclusive = i32::try_from(OFlags::EXCL.bits()).unwrap_or_default();
        let buffered = disk.raw == disk.node;
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        if buffered {
            options.custom_flags(exclusive);
        }
        Ok(Self { file: options.open(&disk.raw)?, bytes: disk.bytes, buffered })
    }

    /// Erases what firmware and partition tools read: the first and the last MiB.
    pub fn erase_ends(&self) -> Result<(), NotWritten> {
        let nothing = vec![0; usize::try_from(HEAD).unwrap_or_default()];
        let last = self.bytes.saturating_sub(HEAD) / BLOCK as u64 * BLOCK as u64;
        for at in [last, 0] {
            let length = usize::try_from((self.bytes - at).min(HEAD)).unwrap_or_default();
            self.put(&nothing[..length], at)?;
        }
        self.keep(0)
    }

    /// Writes the part of the image from `from` to `until`. Each piece is on the disk when it is
    /// told, so the rate is the disk's.
    pub fn write(
        &self,
        image: &File,
        [from, until]: [u64; 2],
        told: Told,
    ) -> Result<(), NotWritten> {
        let mut piece = vec![0; PIECE];
        let mut at = from;
        while at < until {
            let count = part(image, &mut piece, at, until)?;
            // The rest of the last block is empty.
            let whole = count.next_multiple_of(BLOCK);
            let room = usize::try_from(self.bytes - at).unwrap_or(usize::MAX);
            piece[count..whole].fill(0);
            self.put(&piece[..whole.min(room)], at)?;
            self.keep(at)?;
            at += count as u64;
            if !told(at) {
                return Err(NotWritten::Interrupted);
            }
        }
        Ok(())
    }

    /// Compares the same part of the disk with the image.
    pub fn compare(
        &self,
        image: &File,
        [from, until]: [u64; 2],
        told: Told,
    ) -> Result<(), NotWritten> {
        let (mut wanted, mut found) = (vec![0; PIECE], vec![0; PIECE]);
        let mut at = from;
        while at < until {
            let count = part(image, &mut wanted, at, until)?;
            let room = usize::try_from(self.bytes - at).unwrap_or(usize::MAX);
            let whole = count.next_multiple_of(BLOCK).min(room);
            let read = self.file.read_exact_at(&mut found[..whole], at);
            read.map_err(|error| NotWritten::Failed(format!("reading back byte {at}: {error}")))?;
            let differs = |index: &usize| wanted[*index] != found[*index];
            if let Some(index) = (0..count).find(differs) {
                let byte = at + index as u64;
                return Err(NotWritten::Failed(format!(
                    "it has not kept byte {byte} of the image"
                )));
            }
            at += count as u64;
            if !told(at) {
                return Err(NotWritten::Interrupted);
            }
        }
        Ok(())
    }

    fn put(&self, bytes: &[u8], at: u64) -> Result<(), NotWritten> {
        let written = self.file.write_all_at(bytes, at);
        written.map_err(|error| NotWritten::Failed(format!("writing byte {at}: {error}")))
    }

    fn keep(&self, at: u64) -> Result<(), NotWritten> {
        if !self.buffered {
            return Ok(());
        }
        let kept = self.file.sync_data();
        kept.map_err(|error| NotWritten::Failed(format!("writing byte {at}: {error}")))
    }
}

/// The parts of an image: the body, which is written and compared first, and the head.
pub fn parts(image: u64) -> [[u64; 2]; 2] {
    let head = image.min(HEAD);
    [[head, image], [0, head]]
}

/// Reads the next piece of the image.
fn part(image: &File, piece: &mut [u8], at: u64, until: u64) -> Result<usize, NotWritten> {
    let count = usize::try_from((until - at).min(PIECE as u64)).unwrap_or(PIECE);
    let read = image.read_exact_at(&mut piece[..count], at);
    read.map_err(|error| NotWritten::Failed(format!("reading byte {at} of the image: {error}")))?;
    Ok(count)
}

/// Whether a disk is still in its place.
pub fn is_there(disk: &FoundDisk, now: &[FoundDisk]) -> bool {
    let same = |other: &FoundDisk| other.name == disk.name && other.bytes == disk.bytes;
    now.iter().any(same) && Path::new(&disk.node).exists()
}
