//! Which module uses which, read from the sources' `use` trees and paths.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::sources::{code, sources};

/// A module's path below the crate, such as `stages` and `push`. The path of the crate itself is
/// empty.
pub type Module = Vec<String>;

/// The modules of a program, and the modules that each of them uses.
pub struct Imports {
    uses: BTreeMap<Module, BTreeSet<Module>>,
}

impl Imports {
    /// Reads all files below `src`, except those with tests alone.
    pub fn of(src: &Path) -> Self {
        let files: BTreeMap<Module, String> = sources(src)
            .into_iter()
            .filter(|file| !is_of_tests(file))
            .map(|file| (module(file.strip_prefix(src).unwrap()), code(&file)))
            .collect();
        let uses = files.iter().map(|(module, code)| {
            let named = paths(code).into_iter().filter_map(|path| absolute(module, &path));
            let known = named.filter_map(|path| longest_known(&files, path));
            (module.clone(), known.filter(|other| other != module).collect())
        });
        Self { uses: uses.collect() }
    }

    /// The rooms of a folder, with the rooms that each uses and a module that does. A room is a
    /// module directly inside the folder.
    pub fn rooms(&self, folder: &[&str]) -> BTreeMap<String, BTreeMap<String, Module>> {
        let mut rooms: BTreeMap<String, BTreeMap<String, Module>> = BTreeMap::new();
        let inside = |module: &Module| -> Option<String> {
            let rest = module.strip_prefix(
                folder.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>().as_slice(),
            )?;
            rest.first().cloned()
        };
        for (module, uses) in &self.uses {
            let Some(room) = inside(module) else { continue };
            let others = rooms.entry(room.clone()).or_default();
            for other in uses.iter().filter_map(inside).filter(|other| *other != room) {
                others.entry(other).or_insert_with(|| module.clone());
            }
        }
        rooms
    }

    /// The rooms that use themselves through others.
    pub fn circles_of_rooms(&self, folder: &[&str]) -> Vec<String> {
        let rooms = self.rooms(folder);
        let goes_round = |start: &String| {
            let mut seen = BTreeSet::new();
            let mut next = vec![start];
            while let Some(room) = next.pop() {
                next.extend(rooms[room].keys().filter(|other| seen.insert(*other)));
            }
            seen.contains(start)
        };
        rooms.keys().filter(|room| goes_round(room)).cloned().collect()
    }

    /// The modules that use themselves through others. A folder and its contents count as one.
    pub fn circles(&self) -> Vec<String> {
        let is_one = |a: &Module, b: &Module| a.starts_with(b) || b.starts_with(a);
        let goes_round = |start: &Module| {
            let mut seen = BTreeSet::new();
            let mut next = vec![start];
            while let Some(module) = next.pop() {
                for other in &self.uses[module] {
                    if is_one(module, other) || !seen.insert(other) {
                        continue;
                    }
                    next.push(other);
                }
            }
            seen.contains(start)
        };
        self.uses
            .keys()
            .filter(|module| goes_round(module))
            .map(|module| module.join("/"))
            .collect()
    }
}

/// Whether a file is compiled only for tests.
pub fn is_of_tests(file: &Path) -> bool {
    let names = file.iter().map(|name| name.to_string_lossy());
    let mut names = names.map(|name| name.trim_end_matches(".rs").to_owned());
    names.any(|name| name == "tests" || name == "mutated" || name.ends_with("_tests"))
}

/// The module of a file, by its path below `src`.
fn module(file: &Path) -> Module {
    let mut names: Module = file.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    let last = names.pop().unwrap_or_default();
    match last.trim_end_matches(".rs") {
        "mod" | "lib" | "main" => {}
        name => names.push(name.to_owned()),
    }
    names
}

/// The longest prefix of a path that is a module.
fn longest_known(files: &BTreeMap<Module, String>, mut path: Module) -> Option<Module> {
    while !path.is_empty() {
        if files.contains_key(&path) {
            return Some(path);
        }
        path.pop();
    }
    None
}

/// A path from the crate's root; `None` if it is in another crate.
fn absolute(module: &Module, path: &[String]) -> Option<Module> {
    let (head, rest) = path.split_first()?;
    match head.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some([module.as_slice(), rest].concat()),
        "super" => {
            let mut above = module.clone();
            above.pop();
            match rest.first().map(String::as_str) {
                Some("super") => absolute(&above, rest),
                _ => Some([above.as_slice(), rest].concat()),
            }
        }
        _ => None,
    }
}

/// All paths in `code` that begin with `crate`, `self` or `super`, with every branch of a tree.
pub fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for head in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(head) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            branches(&code[at..], &mut Vec::new(), &mut found);
        }
    }
    found
}

/// Reads a branch of a tree, up to the comma or brace that ends it; returns its length.
fn branches(text: &str, stem: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let depth = stem.len();
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        let name: String =
            text[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        at += name.len();
        if !name.is_empty() {
            stem.push(name);
        }
        if let Some(rest) = text[at..].strip_prefix("::") {
            at = text.len() - rest.len();
            if let Some(tree) = rest.strip_prefix('{') {
                at = text.len() - tree.len();
                while !text[at..].trim_start().starts_with('}') && at < text.len() {
                    at += branches(&text[at..], stem, found);
                    at += text[at..].len() - text[at..].trim_start_matches([',', ' ', '\n']).len();
                }
                at += text[at..].find('}').map_or(0, |end| end + 1);
                break;
            }
            continue;
        }
        // `as x`, `*`, and text that is not a path.
        at += text[at..].find([',', '}', ';', '(', '\n']).unwrap_or(text.len() - at);
        found.push(stem.clone());
        break;
    }
    stem.truncate(depth);
    at
}
