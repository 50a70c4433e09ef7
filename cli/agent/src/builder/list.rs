//! The paths that may come.

use std::collections::{BTreeSet, HashMap};

use deploy_wire::builder_push::PushedPath;

/// What Nix's protocol says of a path before its archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathInfo {
    pub path: String,
    pub hash: String,
    pub references: Vec<String>,
    pub size: u64,
}

/// The paths of a push, as they must come.
#[derive(Debug, Clone)]
pub struct PushList(HashMap<String, ListedPath>);

#[derive(Debug, Clone)]
struct ListedPath {
    hash: String,
    size: u64,
    references: BTreeSet<String>,
}

impl PushList {
    pub fn new(paths: &[PushedPath]) -> Self {
        let name = |at: &usize| paths.get(*at).map(|path| path.path.to_string());
        let expected = |path: &PushedPath| ListedPath {
            hash: path.hash.clone(),
            size: path.size,
            references: path.references.iter().filter_map(name).collect(),
        };
        Self(paths.iter().map(|path| (path.path.to_string(), expected(path))).collect())
    }

    /// Whether this path may come at all.
    pub fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// Compares what the builder says of a path with the list. The hash is that of the bytes, which
    /// `nix-daemon` compares with what it received.
    ///
    /// # Errors
    /// What differs.
    pub fn check(&self, info: &PathInfo) -> Result<(), String> {
        let PathInfo { path, hash, references, size } = info;
        let Some(expected) = self.0.get(path) else {
            return Err(format!("{path} is not of this push"));
        };
        let differs = |what: &str| Err(format!("{path} has {what} than the operator was told"));
        if *hash != expected.hash {
            return differs("another hash");
        }
        if *size != expected.size {
            return differs("another size");
        }
        if references.iter().collect::<BTreeSet<_>>() != expected.references.iter().collect() {
            return differs("other references");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use deploy_wire::store_path::StorePath;

    use super::*;

    fn name(digit: &str, name: &str) -> String {
        format!("/nix/store/{}-{name}", digit.repeat(32))
    }

    fn listed() -> PushList {
        let path = |path: String, references: &[usize]| PushedPath {
            path: StorePath::parse(&path).unwrap(),
            hash: "0f".repeat(32),
            size: 120,
            references: references.to_vec(),
        };
        PushList::new(&[path(name("1", "a"), &[]), path(name("2", "b"), &[0, 1])])
    }

    fn info() -> PathInfo {
        PathInfo {
            path: name("2", "b"),
            hash: "0f".repeat(32),
            references: vec![name("1", "a"), name("2", "b")],
            size: 120,
        }
    }

    #[test]
    fn a_path_comes_as_it_was_listed_or_not_at_all() {
        assert_eq!(listed().check(&info()), Ok(()));
        let refused = |change: fn(&mut PathInfo), why: &str| {
            let mut info = info();
            change(&mut info);
            let said = listed().check(&info).unwrap_err();
            assert!(said.contains(why), "{said}");
        };
        refused(|info| info.path = name("3", "c"), "is not of this push");
        refused(|info| info.path.push(' '), "is not of this push");
        refused(|info| info.hash = "1f".repeat(32), "another hash");
        refused(|info| info.hash = "0F".repeat(32), "another hash");
        refused(|info| info.size = 121, "another size");
        refused(|info| drop(info.references.pop()), "other references");
        refused(|info| info.references[0] = name("2", "b"), "other references");
        refused(|info| info.references.push(name("3", "c")), "other references");
    }
}
