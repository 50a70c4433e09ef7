//! A machine's folder is there whole, or not at all.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::fleet_call::FleetCall;
use crate::error::{Failure, Result};

/// A file of the folder: its name, and its text.
pub type ModuleFile = (&'static str, String);

/// A folder that is on the disk, under another name than it is to have.
pub struct StagedFolder {
    staged: TempDir,
    to: PathBuf,
}

/// Refuses a machine whose folder is there, whatever is in it.
pub fn refuse_existing(fleet: &FleetCall, name: &str) -> Result<()> {
    let folder = fleet.machines.join(name);
    match folder.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(_) => Err(Failure::unchanged(format!("{} is there already", fleet.shown(&folder)))
            .hint(Some("take another name, or change its files by hand".into()))),
        Err(error) => {
            Err(Failure::unchanged(format!("{} cannot be read", folder.display())).because(error))
        }
    }
}

/// Writes the files beside the place that they are to have. They go away unless they are named.
pub fn stage(to: &Path, files: &[ModuleFile]) -> io::Result<StagedFolder> {
    // Of the flake's folder: below `machines` each folder is a machine.
    let beside = to.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
    let staged = tempfile::Builder::new().prefix(".deploy-new-").tempdir_in(beside)?;
    let folder = staged.path().join("machine");
    fs::create_dir(&folder)?;
    for (name, text) in files {
        let mut file = File::create_new(folder.join(name))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
    }
    File::open(&folder)?.sync_all()?;
    Ok(StagedFolder { staged, to: to.to_owned() })
}

impl StagedFolder {
    /// Gives the folder its name, unless something has it by now.
    pub fn name(self) -> io::Result<()> {
        // A rename replaces an empty folder.
        fs::create_dir(&self.to)?;
        fs::rename(self.staged.path().join("machine"), &self.to).inspect_err(|_| {
            let _ = fs::remove_dir(&self.to);
        })?;
        File::open(self.to.parent().unwrap_or(Path::new("/")))?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_named_whole_and_never_over_another() {
        let top = tempfile::tempdir().unwrap();
        let machines = top.path().join("machines");
        fs::create_dir(&machines).unwrap();
        let to = machines.join("frame2");
        let files = [("default.nix", "{ }\n".to_owned())];
        drop(stage(&to, &files).unwrap());
        assert_eq!(fs::read_dir(top.path()).unwrap().count(), 1);
        stage(&to, &files).unwrap().name().unwrap();
        assert_eq!(fs::read_to_string(to.join("default.nix")).unwrap(), "{ }\n");
        fs::write(to.join("default.nix"), "mine").unwrap();
        let refused = stage(&to, &files).unwrap().name().unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(to.join("default.nix")).unwrap(), "mine");
        assert_eq!(fs::read_dir(top.path()).unwrap().count(), 1);
        let fleet = FleetCall {
            flake: top.path().to_owned(),
            machines,
            library: "inputs.deploy.lib".into(),
        };
        let refused = refuse_existing(&fleet, "frame2").unwrap_err();
        assert_eq!(refused.what, "machines/frame2 is there already");
        refuse_existing(&fleet, "frame3").unwrap();
    }
}
