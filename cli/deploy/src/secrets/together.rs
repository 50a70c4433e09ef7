//! Several files that are written together: all of them, or none.
//!
//! What they are to become is written into a folder of its own and synced, then a plan that names
//! them, and only then the first gets its name. Cut off before the plan, nothing has changed; cut
//! off behind it, the next run finishes. `a_rekey_that_is_killed_is_finished_by_the_next` proves it.

use std::{
    fs::{self, DirBuilder, File, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    rules::file_named,
    written::{NEW, sync_folder},
};

/// The folder, in that of the rules.
const FOLDER: &str = ".deploy-rekey";

/// The plan, in the folder.
const PLAN: &str = "plan.json";

/// Files that get their names together.
pub struct Together {
    rules: PathBuf,
    folder: PathBuf,
    plan: WritePlan,
    is_planned: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WritePlan {
    version: u32,
    files: Vec<PlannedFile>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PlannedFile {
    /// A secret's name in the rules.
    name: String,
    /// What is in its file before; nothing where there is none.
    before: Option<String>,
}

/// What a run that was cut off left.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FinishedWrites {
    /// Secrets that have got what it had for them.
    pub named: Vec<String>,
    /// Secrets that somebody wrote since, and that were left alone.
    pub passed_over: Vec<String>,
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Together {
    /// Begins, below the folder of the rules. The lock is held.
    pub fn begin(rules: &Path) -> io::Result<Self> {
        let folder = rules.join(FOLDER);
        DirBuilder::new().mode(0o700).create(&folder)?;
        let plan = WritePlan { version: 1, files: Vec::new() };
        Ok(Self { rules: rules.to_owned(), folder, plan, is_planned: false })
    }

    /// With what the secret's file, which has `before` or is not there, is to have.
    pub fn add(&mut self, name: &str, before: Option<&[u8]>, after: &[u8]) -> io::Result<()> {
        let to = target(&self.rules, name)?;
        fs::create_dir_all(to.parent().unwrap_or(&self.rules))?;
        let mode = match to.metadata() {
            Ok(is) => is.permissions().mode() & 0o7777,
            Err(error) if error.kind() == io::ErrorKind::NotFound => NEW,
            Err(error) => return Err(error),
        };
        // The folders count: on an overlay a file of a lower layer has another number than its folder.
        // `a-machine-made-anew-reads-its-secrets-once-its-new-key-is-a-recipient` proves it.
        let beside = to.parent().unwrap_or(&self.rules).metadata()?;
        if beside.dev() != self.folder.metadata()?.dev() {
            let why = format!("{} is on another file system than the rules", to.display());
            return Err(io::Error::other(why));
        }
        let staged = self.folder.join(self.plan.files.len().to_string());
        let mut file = File::create_new(&staged)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.write_all(after)?;
        file.sync_all()?;
        self.plan.files.push(PlannedFile { name: name.to_owned(), before: before.map(hash) });
        Ok(())
    }

    /// Gives all of them their names. From here on nothing is taken back.
    pub fn name_all(mut self) -> io::Result<FinishedWrites> {
        let (new, plan) = (self.folder.join("plan.new"), self.folder.join(PLAN));
        let mut file = File::create_new(&new)?;
        file.write_all(serde_json::to_string(&self.plan)?.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &plan)?;
        self.is_planned = true;
        sync_folder(&plan)?;
        sync_folder(&self.folder)?;
        finish(&self.rules)
    }
}

impl Drop for Together {
    fn drop(&mut self) {
        if !self.is_planned {
            // The next run removes what stays.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Finishes what was cut off, or clears it away where nothing had got its name. The lock is held.
pub fn finish(rules: &Path) -> io::Result<FinishedWrites> {
    let folder = rules.join(FOLDER);
    let text = match fs::read(folder.join(PLAN)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(FinishedWrites::default()),
            };
        }
        Err(error) => return Err(error),
    };
    let plan: WritePlan = serde_json::from_slice(&text)?;
    let mut finished = FinishedWrites::default();
    for (number, file) in plan.files.iter().enumerate() {
        let staged = folder.join(number.to_string());
        if !staged.exists() {
            continue;
        }
        let to = target(rules, &file.name)?;
        let now = match fs::read(&to) {
            Ok(bytes) => Some(hash(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if now == file.before {
            fs::rename(&staged, &to)?;
            sync_folder(&to)?;
            finished.named.push(file.name.clone());
        } else {
            finished.passed_over.push(file.name.clone());
        }
    }
    fs::remove_file(folder.join(PLAN))?;
    fs::remove_dir_all(&folder)?;
    sync_folder(&folder)?;
    Ok(finished)
}

/// The file of a secret, behind links. The plan is a file of the repository: what it names is
/// below the rules' folder too.
fn target(rules: &Path, name: &str) -> io::Result<PathBuf> {
    let file = file_named(rules, name).map_err(io::Error::other)?;
    match file.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(file),
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            fs::write(folder.path().join(name), format!("old {name}")).unwrap();
        }
        folder
    }

    fn staged(folder: &Path) -> Together {
        let mut together = Together::begin(folder).unwrap();
        for name in ["a", "b", "c"] {
            let before = format!("old {name}");
            let after = format!("new {name}");
            together.add(name, Some(before.as_bytes()), after.as_bytes()).unwrap();
        }
        together
    }

    fn texts(folder: &Path) -> Vec<String> {
        ["a", "b", "c"].map(|name| fs::read_to_string(folder.join(name)).unwrap()).into()
    }

    #[test]
    fn what_is_given_up_before_its_plan_changes_nothing() {
        let folder = secrets();
        drop(staged(folder.path()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        std::mem::forget(staged(folder.path()));
        assert_eq!(finish(folder.path()).unwrap(), FinishedWrites::default());
        assert_eq!(texts(folder.path()), ["old a", "old b", "old c"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        assert_eq!(staged(folder.path()).name_all().unwrap().named, ["a", "b", "c"]);
        assert_eq!(texts(folder.path()), ["new a", "new b", "new c"]);
    }

    #[test]
    fn what_is_cut_off_behind_its_plan_is_finished_and_passes_over_what_was_written_since() {
        let folder = secrets();
        let at = |name: &str| folder.path().join(name);
        let together = staged(folder.path());
        let plan = serde_json::to_string(&together.plan).unwrap();
        fs::write(together.folder.join(PLAN), plan).unwrap();
        std::mem::forget(together);
        fs::rename(at(".deploy-rekey/0"), at("a")).unwrap();
        fs::write(at("c"), "somebody's").unwrap();
        let finished = finish(folder.path()).unwrap();
        assert_eq!((finished.named, finished.passed_over), (vec!["b".into()], vec!["c".into()]));
        assert_eq!(texts(folder.path()), ["new a", "new b", "somebody's"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn what_is_new_is_written_with_the_rest_unless_somebody_else_made_it() {
        let folder = secrets();
        let at = |name: &str| folder.path().join(name);
        let mut together = Together::begin(folder.path()).unwrap();
        together.add("a", Some(b"old a"), b"new a").unwrap();
        together.add("web/d", None, b"new d").unwrap();
        together.add("e", None, b"new e").unwrap();
        fs::write(at("e"), "somebody's").unwrap();
        let finished = together.name_all().unwrap();
        assert_eq!(finished.named, ["a", "web/d"]);
        assert_eq!(finished.passed_over, ["e"]);
        assert_eq!(fs::read_to_string(at("web/d")).unwrap(), "new d");
        assert_eq!(fs::metadata(at("web/d")).unwrap().mode() & 0o777, NEW);
    }

    #[test]
    fn a_plan_names_no_file_outside() {
        let folder = secrets();
        fs::create_dir(folder.path().join(FOLDER)).unwrap();
        let plan = r#"{"version":1,"files":[{"name":"../x","before":""}]}"#;
        fs::write(folder.path().join(FOLDER).join(PLAN), plan).unwrap();
        fs::write(folder.path().join(FOLDER).join("0"), "x").unwrap();
        assert!(finish(folder.path()).unwrap_err().to_string().contains("no `..`"));
    }
}
