//! Files that are written whole or not at all.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// The permissions of a file that is new: an encrypted file is for everybody to read.
pub const NEW: u32 = 0o644;

/// Bytes that are on the disk, under another name than they are to have.
#[derive(Debug)]
pub struct StagedFile {
    file: NamedTempFile,
    to: PathBuf,
}

/// Puts `bytes` beside the file `to`, and has the disk keep them. It goes away unless it is
/// named.
pub fn stage(to: &Path, bytes: &[u8]) -> io::Result<StagedFile> {
    // A link stays one: what it leads to is written.
    let to = to.canonicalize().unwrap_or_else(|_| to.to_owned());
    let folder = to.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)?;
    let mode = to.metadata().map_or(NEW, |is| is.permissions().mode() & 0o7777);
    let mut file = tempfile::Builder::new().prefix(".deploy-").tempfile_in(folder)?;
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(StagedFile { file, to })
}

impl StagedFile {
    /// Gives it the name, in place of what had it.
    pub fn name(self) -> io::Result<()> {
        self.file.persist(&self.to).map_err(|error| error.error)?;
        sync_folder(&self.to)
    }
}

/// Has the disk keep which names are in the folder of a file.
pub fn sync_folder(of: &Path) -> io::Result<()> {
    File::open(of.parent().unwrap_or(Path::new("/")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_permissions_and_its_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a/b.age"), folder.path().join("link.age"));
        stage(&file, b"one").unwrap().name().unwrap();
        let mode = |file: &Path| file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&file), 0o644);
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        drop(stage(&link, b"never named").unwrap());
        assert_eq!(fs::read(&file).unwrap(), b"one");
        stage(&link, b"two").unwrap().name().unwrap();
        assert_eq!((fs::read(&file).unwrap(), mode(&file)), (b"two".to_vec(), 0o640));
        assert!(link.is_symlink());
        assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 1);
    }
}
