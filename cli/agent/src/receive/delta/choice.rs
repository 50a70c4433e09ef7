//! Which paths of this machine are bases for those that are pushed.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use anyhow::Result;
use deploy_delta::answer::Base;
use deploy_wire::store_path::StorePath;

use crate::tools::nix::{self, Registration};

/// Bases are sought in what runs, boots or is installed: it is near to what is pushed, and nothing
/// collects it. All of a store could be any number of paths.
const ROOTS: [&str; 3] =
    ["/run/current-system", "/run/booted-system", "/nix/var/nix/profiles/system"];

/// The smallest base. A smaller path is compressed to little more than what an index takes.
const LEAST: u64 = 16 << 10;

/// The bases of the wanted paths that this machine may lack, by their numbers.
pub fn bases(wanted: &[StorePath]) -> Result<Vec<Base>> {
    let roots: Vec<&str> = ROOTS.into_iter().filter(|root| Path::new(root).exists()).collect();
    if roots.is_empty() {
        return Ok(Vec::new());
    }
    let there = nix::requisites(&roots)?;
    let lacking = lacking(wanted, &there);
    let stems: HashSet<String> = lacking.iter().map(|(_, path)| stem(path.name())).collect();
    let candidates: Vec<StorePath> = there
        .iter()
        .filter_map(|path| StorePath::parse(path).ok())
        .filter(|path| stems.contains(&stem(path.name())))
        .collect();
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let candidates: Vec<&StorePath> = candidates.iter().collect();
    Ok(choose(&lacking, nix::registrations(&candidates)?))
}

/// The paths that are not among those that are there. A path in the store's folder may be what a push
/// left that was cut off, without its registration:
/// `a-push-of-chunks-into-a-full-store-is-refused-and-the-next-goes-on` has one.
fn lacking<'p>(wanted: &'p [StorePath], there: &[String]) -> Vec<(u32, &'p StorePath)> {
    let there: HashSet<&str> = there.iter().map(String::as_str).collect();
    (0..).zip(wanted).filter(|(_, path)| !there.contains(path.as_str())).collect()
}

fn choose(lacking: &[(u32, &StorePath)], candidates: Vec<Registration>) -> Vec<Base> {
    let mut by_stem: HashMap<String, Vec<Registration>> = HashMap::new();
    for candidate in candidates.into_iter().filter(|candidate| candidate.length >= LEAST) {
        by_stem.entry(stem(candidate.path.name())).or_default().push(candidate);
    }
    let nearest = |path: &StorePath| {
        by_stem.get(&stem(path.name()))?.iter().max_by_key(|candidate| {
            let name = candidate.path.name();
            (name == path.name(), common(name, path.name()), candidate.length)
        })
    };
    lacking
        .iter()
        .filter_map(|(number, path)| {
            let Registration { path, hash, length, references } = nearest(path)?.clone();
            Some(Base { number: *number, path, references, hash, length })
        })
        .collect()
}

/// A name without the parts that begin with a digit: `linux-modules` for `linux-6.6.32-modules`.
fn stem(name: &str) -> String {
    let is_version = |part: &&str| !part.starts_with(|first: char| first.is_ascii_digit());
    let stem = name.split('-').filter(is_version).collect::<Vec<_>>().join("-");
    if stem.is_empty() { name.to_owned() } else { stem }
}

/// How many bytes two names have in common at their beginning.
fn common(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(hash: char, name: &str) -> StorePath {
        StorePath::parse(&format!("/nix/store/{}-{name}", hash.to_string().repeat(32))).unwrap()
    }

    fn registered(path: &StorePath, length: u64) -> Registration {
        Registration { path: path.clone(), hash: [0; 32], length, references: Vec::new() }
    }

    #[test]
    fn the_same_name_comes_before_the_same_stem_and_outputs_stay_apart() {
        let wanted = [
            path('a', "curl-8.1.0"),
            path('b', "curl-8.1.0-bin"),
            path('c', "nothing-like-it"),
            path('d', "tiny"),
            path('f', "etc"),
        ];
        let there = [
            path('0', "curl-8.0.1"),
            path('1', "curl-7.9"),
            path('2', "curl-7.9-bin"),
            path('3', "tiny"),
            path('4', "etc"),
            path('5', "etc"),
        ];
        let lengths = [20_000, 90_000, 20_000, 10, 20_000, 30_000];
        let candidates = there.iter().zip(lengths).map(|(path, length)| registered(path, length));
        let lacking: Vec<(u32, &StorePath)> = (0..).zip(&wanted).collect();
        let bases = choose(&lacking, candidates.collect());
        let found: Vec<(u32, &StorePath)> =
            bases.iter().map(|base| (base.number, &base.path)).collect();
        assert_eq!(found, [(0, &there[0]), (1, &there[2]), (4, &there[5])]);
    }

    #[test]
    fn what_is_there_by_its_registration_is_not_lacking() {
        let wanted = [path('a', "curl"), path('b', "git")];
        let there = [wanted[0].as_str().to_owned()];
        assert_eq!(lacking(&wanted, &there), [(1, &wanted[1])]);
    }

    #[test]
    fn a_name_that_is_a_version_is_its_own_stem() {
        assert_eq!(stem("25.11"), "25.11");
        assert_eq!(stem("linux-6.6.32-modules"), "linux-modules");
        assert_eq!(stem("python3-3.11.8-env"), "python3-env");
    }
}
