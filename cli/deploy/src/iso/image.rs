//! The file that is written to a disk.

use std::{
    fs::File,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use crate::error::{Failure, Result};

/// An image that a computer can start from.
#[derive(Debug)]
pub struct BootImage {
    /// Its file, as the kernel names it.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// The file, open.
    pub file: File,
}

/// The end of a boot sector, which firmware looks for.
const SIGNATURE: [u8; 2] = [0x55, 0xaa];
const SIGNATURE_AT: usize = 510;

impl BootImage {
    /// Opens it. What no computer would start from is refused.
    pub fn open(file: &Path) -> Result<Self> {
        let refused = |why: String| {
            Failure::unchanged(format!("{} is not written", file.display())).because(why)
        };
        let path = file.canonicalize().map_err(|error| match error.kind() {
            ErrorKind::NotFound => refused("there is no such file".into()),
            _ => refused(error.to_string()),
        })?;
        let mut opened = File::open(&path).map_err(|error| refused(error.to_string()))?;
        let meta = opened.metadata().map_err(|error| refused(error.to_string()))?;
        if !meta.is_file() {
            return Err(refused("it is no file".into()));
        }
        let mut sector = [0; SIGNATURE_AT + SIGNATURE.len()];
        let has_sector = opened.read_exact(&mut sector).is_ok();
        if !has_sector || sector[SIGNATURE_AT..] != SIGNATURE {
            return Err(refused("it has no boot sector: no computer starts from it".into()).hint(
                Some("is it compressed (.zst, .gz), or not downloaded to its end?".to_owned()),
            ));
        }
        Ok(Self { path, bytes: meta.len(), file: opened })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_computer_starts_from_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("image.iso");
        let refused = |file: &Path| BootImage::open(file).unwrap_err().to_string();
        assert!(refused(&file).contains("there is no such file"));
        assert!(refused(folder.path()).contains("it is no file"));
        std::fs::write(&file, [0; 600]).unwrap();
        assert!(refused(&file).contains("it has no boot sector"));
        std::fs::write(&file, [0; 100]).unwrap();
        assert!(refused(&file).contains("it has no boot sector"));
        let mut sector = vec![0; 600];
        sector[SIGNATURE_AT..512].copy_from_slice(&SIGNATURE);
        std::fs::write(&file, &sector).unwrap();
        assert_eq!(BootImage::open(&file).unwrap().bytes, 600);
    }
}
