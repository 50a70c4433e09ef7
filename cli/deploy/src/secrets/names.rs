//! Names of secrets without an evaluation, for completion: those of the last evaluation of the rules,
//! and of the files beside them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::rules::SecretRules;
use crate::tools::cache::Cache;

/// Folders below the rules in which files are looked for, and files that are looked at, at most: a
/// shell waits for it.
const MOST: (usize, usize) = (4, 10_000);

/// Keeps the names of rules that were evaluated.
pub fn keep(rules: &SecretRules) {
    let key = rules.file.display().to_string();
    let names: Vec<&str> = rules.list.iter().map(|rule| rule.name.as_str()).collect();
    let cache = Cache::named("secret-names");
    if cache.get(&key) != Some(json!(names)) {
        cache.put(&key, &json!(names));
    }
}

/// The names that are known of the secrets of a rules file.
pub fn known(file: &Path) -> BTreeSet<String> {
    let kept = Cache::named("secret-names").get(&file.display().to_string());
    let kept = kept.as_ref().and_then(Value::as_array).into_iter().flatten();
    let mut names: BTreeSet<String> = kept.filter_map(Value::as_str).map(str::to_owned).collect();
    let folder = file.parent().unwrap_or(Path::new("/"));
    let mut left = MOST.1;
    for path in files(folder, MOST.0, &mut left) {
        if let Ok(inside) = path.strip_prefix(folder) {
            names.insert(inside.display().to_string());
        }
    }
    names
}

/// The files of age's in a folder and below it, but for hidden ones.
fn files(folder: &Path, depth: usize, left: &mut usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Some(fewer) = left.checked_sub(1) else { break };
        *left = fewer;
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if is_folder && depth > 0 {
            found.extend(files(&path, depth - 1, left));
        } else if path.extension().is_some_and(|ending| ending == "age") {
            found.push(path);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_beside_the_rules_are_named_as_rules_name_them() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["a.age", "web/b.age", ".git/c.age", "web/d.pub", "1/2/3/4/5/e.age"] {
            let file = folder.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        let names = known(&folder.path().join("secrets.nix"));
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["a.age", "web/b.age"]);
    }
}
