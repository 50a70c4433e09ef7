//! Where a base is read: in the store, or in what a push left that was cut off.

use std::{collections::HashMap, io, path::PathBuf};

use deploy_delta::{answer::Base, archive::Archive, references::References};
use deploy_wire::store_path::StorePath;

use crate::receive::partial::Partial;

/// A base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundBase {
    /// What the client is told of it.
    pub base: Base,
    /// The file with the begin of its archive, where the store has it not.
    kept: Option<PathBuf>,
}

impl FoundBase {
    /// Its archive.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn archive(&self) -> io::Result<Archive> {
        match &self.kept {
            Some(file) => Archive::of_file(file),
            None => Archive::of(self.base.path.as_ref()),
        }
    }

    /// What it refers to.
    pub fn references(&self) -> References {
        References::of(&self.base.path, &self.base.references)
    }
}

/// The bases by the numbers of the wanted paths. What is kept of a path comes before an older version
/// of it that is not much larger.
pub fn all(
    bases: Vec<Base>,
    wanted: &[StorePath],
    left: Option<Partial>,
) -> HashMap<u32, FoundBase> {
    let in_store = |base: Base| (base.number, FoundBase { base, kept: None });
    let mut all: HashMap<u32, FoundBase> = bases.into_iter().map(in_store).collect();
    let Some(Partial { path, references, file, length }) = left else { return all };
    let number = (0..).zip(wanted).find_map(|(number, wanted)| (*wanted == path).then_some(number));
    let Some(number) = number else { return all };
    let is_better = all.get(&number).is_none_or(|other| other.base.length / 4 * 3 < length);
    if is_better {
        // No archive has this hash: the client compares it with those of its own paths.
        let base = Base { number, path, references, hash: [0; 32], length };
        all.insert(number, FoundBase { base, kept: Some(file) });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> StorePath {
        StorePath::parse(&format!("/nix/store/{}-{name}", "0".repeat(32))).unwrap()
    }

    #[test]
    fn what_is_kept_of_a_wanted_path_is_its_base_unless_an_older_one_has_more() {
        let wanted = [path("a"), path("b")];
        let left = |name: &str, length| {
            Some(Partial { path: path(name), references: Vec::new(), file: "/kept".into(), length })
        };
        let old = |length| {
            let (path, references) = (path("b-0"), Vec::new());
            vec![Base { number: 1, path, references, hash: [7; 32], length }]
        };
        let kept = |bases, left| all(bases, &wanted, left).get(&1).map(|it| it.kept.is_some());
        assert_eq!(kept(Vec::new(), left("b", 10)), Some(true));
        assert_eq!(kept(old(12), left("b", 10)), Some(true));
        assert_eq!(kept(old(100), left("b", 10)), Some(false));
        assert_eq!(kept(old(12), left("c", 10)), Some(false));
        assert_eq!(kept(Vec::new(), left("c", 10)), None);
        assert_eq!(kept(Vec::new(), None), None);
    }
}
