//! What a builder's Nix has registered of a closure, as `nix-store --dump-db` prints it.

use std::collections::HashMap;

use deploy_wire::{builder_push::PushedPath, store_path::StorePath};

/// A registration, with its references by their names.
struct Registered {
    path: StorePath,
    hash: String,
    size: u64,
    references: Vec<String>,
}

/// The paths of a closure. `None` if a line is not as expected, or if a reference is missing.
pub fn read(text: &str) -> Option<Vec<PushedPath>> {
    let mut lines = text.lines();
    let mut all = Vec::new();
    while let Some(path) = lines.next() {
        all.push(registered(path, &mut lines)?);
    }
    let places: HashMap<String, usize> =
        (0..).zip(&all).map(|(at, it)| (it.path.to_string(), at)).collect();
    let place = |name: &String| places.get(name).copied();
    let paths = all.iter().map(|it| {
        let references = it.references.iter().map(place).collect::<Option<Vec<_>>>()?;
        Some(PushedPath { path: it.path.clone(), hash: it.hash.clone(), size: it.size, references })
    });
    paths.collect::<Option<Vec<_>>>().filter(|paths| !paths.is_empty())
}

/// Path, hash, size, deriver, number of references, references.
fn registered<'l>(path: &str, lines: &mut impl Iterator<Item = &'l str>) -> Option<Registered> {
    let path = StorePath::parse(path).ok()?;
    let hash = lines.next()?.to_owned();
    if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let size = lines.next()?.parse().ok()?;
    let _deriver = lines.next()?;
    let count: usize = lines.next()?.parse().ok()?;
    let references: Vec<String> = lines.take(count).map(str::to_owned).collect();
    (references.len() == count).then_some(Registered { path, hash, size, references })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(digit: &str) -> String {
        format!("/nix/store/{}-x", digit.repeat(32))
    }

    #[test]
    fn a_closure_is_read_whole_or_not_at_all() {
        let hash = "0f".repeat(32);
        let (a, b) = (name("1"), name("2"));
        let text = format!("{a}\n{hash}\n120\n\n0\n{b}\n{hash}\n4096\n/x.drv\n2\n{b}\n{a}\n");
        let read_all = read(&text).unwrap();
        assert_eq!(read_all.len(), 2);
        assert_eq!((read_all[1].size, &read_all[1].references), (4096, &vec![1, 0]));
        assert_eq!(read_all[1].hash, hash);
        for end in [0, 40, 100, 150, 200, 260, text.len() - 3] {
            assert_eq!(read(&text[..end]), None, "{end}");
        }
        assert_eq!(read(&text.replace(&a, &name("3")).replacen(&name("3"), &a, 1)), None);
    }
}
