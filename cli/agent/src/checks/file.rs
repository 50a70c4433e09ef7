//! Whether a file is there with its contents, mode and owner. Nothing of it is read.

use std::{collections::BTreeMap, fs, io, os::unix::fs::MetadataExt};

use deploy_wire::machine::CheckKind;

use super::words::CheckOutcome;
use crate::tools::user::{Database, id_of};

/// The numbers of owners and groups that were looked up. A look at a hundred files asks once.
#[derive(Debug, Default)]
pub struct Owners {
    known: BTreeMap<(Database, String), Result<u32, String>>,
}

impl Owners {
    fn id(&mut self, database: Database, name: &str) -> Result<u32, String> {
        let entry = self.known.entry((database, name.to_owned()));
        entry.or_insert_with(|| look_up(database, name)).clone()
    }
}

fn look_up(database: Database, name: &str) -> Result<u32, String> {
    match id_of(database, name) {
        Ok(Some(id)) => Ok(id),
        Ok(None) => Err(format!("there is no {database} {name}")),
        Err(error) => Err(format!("{error:#}")),
    }
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found {
    is_file: bool,
    size: u64,
    mode: u32,
    uid: u32,
    gid: u32,
}

/// Compares the file with what is declared.
pub fn look(kind: &CheckKind, owners: &mut Owners) -> CheckOutcome {
    let CheckKind::File { path, mode, owner, group } = kind else {
        return Err("not a check of a file".into());
    };
    // The kernel says what a link leads to.
    let found = match fs::metadata(path) {
        Ok(found) => Found {
            is_file: found.is_file(),
            size: found.size(),
            mode: found.mode() & 0o7777,
            uid: found.uid(),
            gid: found.gid(),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(format!("{path} does not exist"));
        }
        Err(error) => return Err(format!("{path}: {error}")),
    };
    let mut id = |database, name: &Option<String>| match name {
        Some(name) => owners.id(database, name).map(Some),
        None => Ok(None),
    };
    let wanted = Wanted {
        mode: mode.as_deref().and_then(octal),
        uid: id(Database::Passwd, owner)?,
        gid: id(Database::Group, group)?,
    };
    wanted.compare(path, found)
}

/// A mode in octal; `None` for chmod's other words.
fn octal(mode: &str) -> Option<u32> {
    u32::from_str_radix(mode, 8).ok()
}

/// What a file has to be. `None` is not compared.
#[derive(Debug, Clone, Copy, Default)]
struct Wanted {
    mode: Option<u32>,
    uid: Option<u32>,
    gid: Option<u32>,
}

impl Wanted {
    fn compare(self, path: &str, found: Found) -> CheckOutcome {
        let Found { is_file, size, mode, uid, gid } = found;
        if !is_file {
            return Err(format!("{path} is not a file"));
        }
        if size == 0 {
            return Err(format!("{path} is empty"));
        }
        match self {
            Self { mode: Some(wanted), .. } if wanted != mode => {
                Err(format!("{path} has the mode {mode:04o}, not {wanted:04o}"))
            }
            Self { uid: Some(wanted), .. } if wanted != uid => {
                Err(format!("{path} belongs to the user {uid}, not {wanted}"))
            }
            Self { gid: Some(wanted), .. } if wanted != gid => {
                Err(format!("{path} belongs to the group {gid}, not {wanted}"))
            }
            _ => Ok(format!("{mode:04o} {uid}:{gid}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn check(path: &std::path::Path, mode: &str, owner: &str, group: &str) -> CheckOutcome {
        let kind = CheckKind::File {
            path: path.display().to_string(),
            mode: Some(mode.into()),
            owner: Some(owner.into()),
            group: Some(group.into()),
        };
        look(&kind, &mut Owners::default())
    }

    #[test]
    fn a_file_is_compared_with_what_is_declared() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let own = fs::metadata(folder.path()).unwrap();
        let (uid, gid) = (own.uid().to_string(), own.gid().to_string());
        let look = |mode: &str| check(&file, mode, &uid, &gid);
        assert!(look("0400").unwrap_err().ends_with("file does not exist"));
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(look("0400").unwrap_err().ends_with("file is empty"));
        fs::remove_file(&file).unwrap();
        fs::write(&file, "x").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o440)).unwrap();
        assert!(look("0400").unwrap_err().ends_with("has the mode 0440, not 0400"));
        assert_eq!(look("440"), Ok(format!("0440 {uid}:{gid}")));
        assert!(look("u=r,g=r").is_ok(), "it is not compared");
        let other = (own.uid() + 1).to_string();
        let refused = check(&file, "0440", &other, &gid).unwrap_err();
        assert!(refused.ends_with(&format!("belongs to the user {uid}, not {other}")), "{refused}");
        let refused = check(&file, "0440", &uid, &other).unwrap_err();
        assert!(refused.contains("belongs to the group"), "{refused}");
        let nobody = check(&file, "0440", "nobody-of-that-name", &gid);
        assert_eq!(nobody, Err("there is no user nobody-of-that-name".into()));
        assert!(check(folder.path(), "0700", &uid, &gid).unwrap_err().ends_with("is not a file"));
    }

    #[test]
    fn a_link_is_what_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        symlink(&file, &link).unwrap();
        let any = CheckKind::File {
            path: link.display().to_string(),
            mode: None,
            owner: None,
            group: None,
        };
        assert!(look(&any, &mut Owners::default()).unwrap_err().ends_with("does not exist"));
        fs::write(&file, "x").unwrap();
        assert!(look(&any, &mut Owners::default()).is_ok());
    }

    #[test]
    fn names_are_looked_up_as_chown_does() {
        let mut owners = Owners::default();
        assert_eq!(owners.id(Database::Passwd, "root"), Ok(0));
        assert_eq!(owners.id(Database::Group, "root"), Ok(0));
        assert_eq!(owners.id(Database::Group, "7"), Ok(7));
        assert_eq!(owners.id(Database::Group, "a-b"), Err("there is no group a-b".into()));
    }
}
