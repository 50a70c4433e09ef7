//! Folders on this computer that only the user and root can read or change, whatever the umask is
//! and whoever else uses /tmp.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, Metadata, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::process::geteuid;
use tempfile::TempDir;

/// Read, write and enter, for the owner only.
const OWNER_ALONE: u32 = 0o700;

/// The bits of the group and of others.
const OF_OTHERS: u32 = 0o077;

/// A socket's path has at most 104 bytes on macOS. `ssh` appends 17 while it binds the socket, and
/// our own part has 16.
const LONGEST: usize = 104 - 17 - 16;

/// A folder for one login, with its control socket, a pinned host key, and the socket for the sudo
/// password. It is removed when the value is dropped. It is in `XDG_RUNTIME_DIR` if that exists,
/// which is not on a disk and belongs to the user, otherwise in /tmp, because macOS's TMPDIR is too
/// long for a socket. `a_folder_of_a_run_is_the_users_alone_whatever_the_umask` proves its mode.
pub fn for_this_run() -> io::Result<TempDir> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").and_then(absolute);
    let base = runtime.filter(|base| is_runtime(base)).unwrap_or_else(|| "/tmp".into());
    make_in(&base)
}

/// A folder for this run in `base`, where others cannot rename what is in that.
pub fn make_in(base: &Path) -> io::Result<TempDir> {
    let holder = fs::metadata(base)?;
    if !keeps_names(&holder) {
        return Err(not_safe(base, &holder));
    }
    let mode = Permissions::from_mode(OWNER_ALONE);
    let folder =
        tempfile::Builder::new().prefix("deploy-").permissions(mode.clone()).tempdir_in(base)?;
    // The umask may remove bits of the owner.
    fs::set_permissions(folder.path(), mode)?;
    Ok(folder)
}

fn not_safe(base: &Path, is: &Metadata) -> io::Error {
    let (shown, owner, mode) = (base.display(), is.uid(), is.mode() & 0o7777);
    io::Error::other(format!(
        "{shown} is not safe to work in: others can rename what is in it (it is of user {owner}, \
         mode {mode:o}); chmod 1777 {shown} makes it so"
    ))
}

/// Whether only root and the user can rename or remove what is in the folder.
fn keeps_names(folder: &Metadata) -> bool {
    let owner = folder.uid();
    let others_write = folder.mode() & 0o022 != 0;
    let sticky = folder.mode() & 0o1000 != 0;
    (owner == 0 || is_ours(folder)) && (!others_write || sticky)
}

fn is_ours(of: &Metadata) -> bool {
    of.uid() == geteuid().as_raw()
}

/// Whether the folder meets the XDG Base Directory Specification: it belongs to the user and has
/// mode 0700.
fn is_runtime(base: &Path) -> bool {
    let is_private = |of: Metadata| of.is_dir() && is_ours(&of) && of.mode() & OF_OTHERS == 0;
    base.as_os_str().len() <= LONGEST && fs::symlink_metadata(base).is_ok_and(is_private)
}

/// The specification says to ignore relative paths.
fn absolute(path: OsString) -> Option<PathBuf> {
    Some(PathBuf::from(path)).filter(|path| path.is_absolute())
}

/// `$XDG_CACHE_HOME/deploy/NAME`, or the same below `~/.cache`, for what is kept between runs.
/// `None` if there is no home, if others can rename entries of the cache folder, or if our folders
/// in it are not private to this user and cannot be made so. Root with another user's HOME must
/// neither use what that user put there nor leave anything there.
pub fn kept(name: &str) -> Option<PathBuf> {
    let home = || Some(absolute(std::env::var_os("HOME")?)?.join(".cache"));
    let base = std::env::var_os("XDG_CACHE_HOME").and_then(absolute).or_else(home)?;
    private_below(&base, &["deploy", name]).ok()
}

/// `$XDG_STATE_HOME/deploy/NAME`, or the same below `~/.local/state`, for what the user would miss.
/// The same rules hold as for [`kept`].
pub fn state(name: &str) -> io::Result<PathBuf> {
    let home = || Some(absolute(std::env::var_os("HOME")?)?.join(".local/state"));
    let base = std::env::var_os("XDG_STATE_HOME").and_then(absolute).or_else(home);
    let base = base.ok_or_else(|| io::Error::other("HOME is not set"))?;
    private_below(&base, &["deploy", name])
}

fn private_below(base: &Path, parts: &[&str]) -> io::Result<PathBuf> {
    let existing = base.ancestors().find(|folder| folder.exists()).unwrap_or(base);
    refuse_foreign_owner(&fs::metadata(existing)?, existing)?;
    DirBuilder::new().recursive(true).mode(OWNER_ALONE).create(base)?;
    if !keeps_names(&fs::metadata(base)?) {
        return Err(not_safe(base, &fs::metadata(base)?));
    }
    let mut folder = base.to_owned();
    for part in parts {
        folder.push(part);
        match DirBuilder::new().mode(OWNER_ALONE).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // Do not follow a link. It may lead to a folder with other contents, whose oldest documents
        // would be removed.
        let is = fs::symlink_metadata(&folder)?;
        refuse_foreign_owner(&is, &folder)?;
        if !is.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        if is.mode() & 0o7777 != OWNER_ALONE {
            fs::set_permissions(&folder, Permissions::from_mode(OWNER_ALONE))?;
        }
    }
    Ok(folder)
}

fn refuse_foreign_owner(of: &Metadata, folder: &Path) -> io::Result<()> {
    if is_ours(of) {
        return Ok(());
    }
    Err(io::Error::other(format!("{} is of user {}", folder.display(), of.uid())))
}

#[cfg(test)]
mod tests;
