//! The name of a secret: a file below the folder of its rules.

use std::path::{Component, Path, PathBuf};

/// The file that a name means. What is wrong with one follows the rule's name.
pub fn path(folder: &Path, name: &str) -> Result<PathBuf, String> {
    if name.chars().any(char::is_control) {
        return Err("has a name with a line break or another control character".into());
    }
    let mut path = folder.to_owned();
    let mut parts = 0;
    for part in Path::new(name).components() {
        match part {
            Component::Normal(part) => {
                path.push(part);
                parts += 1;
            }
            Component::CurDir => {}
            Component::ParentDir => {
                return Err("leads out of its folder: a name has no `..`".into());
            }
            Component::RootDir | Component::Prefix(_) => {
                return Err("is an absolute path: a name is relative to the rules".into());
            }
        }
    }
    if parts == 0 || name.ends_with('/') {
        return Err("names no file".into());
    }
    Ok(path)
}

/// A path without `.` and `..`, whether there is such a file or not.
pub fn tidied(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                tidy.pop();
            }
            part => tidy.push(part),
        }
    }
    tidy
}

/// A name in one line.
pub fn shown(name: &str) -> String {
    name.escape_debug().to_string()
}
