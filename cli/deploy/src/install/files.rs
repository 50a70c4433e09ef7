//! The files that a machine gets besides its system: its host key.

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::host_key::HostKey;
use crate::tools::private;

/// A folder with the files, laid out as the machine's root. Only this user can look into it. It is
/// removed when the value is dropped.
pub struct ExtraFiles {
    folder: TempDir,
}

impl ExtraFiles {
    /// Writes the host key at `at`, a path of the machine's.
    pub fn with(key: &HostKey, at: &str) -> io::Result<Self> {
        let files = Self { folder: private::for_this_run()? };
        let root = files.root();
        let inside = Path::new(at.trim_start_matches('/'));
        let file = root.join(inside);
        // The modes are those that the folders get on the machine, whatever the umask is here.
        DirBuilder::new().mode(0o755).create(&root)?;
        let mut made = root;
        fs::set_permissions(&made, Permissions::from_mode(0o755))?;
        for part in inside.parent().into_iter().flat_map(Path::components) {
            made.push(part);
            DirBuilder::new().mode(0o755).create(&made)?;
            fs::set_permissions(&made, Permissions::from_mode(0o755))?;
        }
        write(&file, &key.text, 0o600)?;
        let public = format!("{at}.pub");
        let public = files.root().join(public.trim_start_matches('/'));
        write(&public, format!("{}\n", key.public).as_bytes(), 0o644)?;
        Ok(files)
    }

    /// The folder that stands for the machine's root.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("files")
    }
}

fn write(file: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut open = OpenOptions::new().write(true).create_new(true).mode(mode).open(file)?;
    open.write_all(bytes)?;
    open.set_permissions(Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn the_key_lies_where_the_machine_reads_it_and_nobody_else_reads_it_here() {
        let key = HostKey { text: Zeroizing::new(b"secret".to_vec()), public: "ssh-x A".into() };
        let files = ExtraFiles::with(&key, "/persist/etc/ssh/key").unwrap();
        let mode = |path: &str| {
            let file = files.root().join(path);
            fs::metadata(&file).unwrap().permissions().mode() & 0o777
        };
        assert_eq!(fs::read(files.root().join("persist/etc/ssh/key")).unwrap(), b"secret");
        assert_eq!(
            fs::read_to_string(files.root().join("persist/etc/ssh/key.pub")).unwrap(),
            "ssh-x A\n"
        );
        assert_eq!((mode("persist/etc/ssh/key"), mode("persist/etc/ssh/key.pub")), (0o600, 0o644));
        assert_eq!((mode(""), mode("persist"), mode("persist/etc/ssh")), (0o755, 0o755, 0o755));
        let outer = fs::metadata(files.folder.path()).unwrap().permissions().mode() & 0o777;
        assert_eq!(outer, 0o700);
    }
}
