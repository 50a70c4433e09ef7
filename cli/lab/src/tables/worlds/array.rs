//! The covering array. It is a file in the repository, so that a world is the same in every run.
//! After a change of the axes, `lab worlds --array` generates it again.

use anyhow::{Context, Result, ensure};

use super::{Axis, World};

const FILE: &str = include_str!("array.txt");

/// The worlds of the array.
///
/// # Errors
/// When the file names a value that no axis has.
pub fn all() -> Result<Vec<World>> {
    let lines = FILE.lines().filter(|line| !line.starts_with('#'));
    lines.zip(1..).map(|(line, number)| world(number, line)).collect()
}

fn world(number: usize, line: &str) -> Result<World> {
    let words: Vec<_> = line.split('|').map(str::trim).collect();
    ensure!(words.len() == Axis::ALL.len(), "line {number} of the array: {line}");
    let value = |(axis, word): (Axis, &str)| {
        let found = axis.values().iter().copied().find(|value| *value == word);
        found.with_context(|| format!("line {number} of the array: {axis:?} is never {word}"))
    };
    let values = Axis::ALL.into_iter().zip(words).map(value).collect::<Result<_>>()?;
    Ok(World { number, values })
}

/// The text of the file for these worlds.
pub(super) fn text(worlds: &[World]) -> String {
    let heads = Axis::ALL.map(Axis::word).join(" | ");
    let lines = worlds.iter().map(|world| world.values.join(" | ") + "\n");
    format!("# {heads}\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::super::cover;
    use super::*;

    #[test]
    fn the_array_has_every_pair_that_can_be_had() {
        let worlds = all().unwrap();
        let missing: Vec<_> = cover::missing(&worlds).into_iter().collect();
        assert!(missing.is_empty(), "no world has {missing:?}");
        let impossible: Vec<_> = worlds.iter().filter(|it| !cover::can_be(&it.values)).collect();
        assert!(impossible.is_empty(), "{impossible:?}");
        assert!((25..=45).contains(&worlds.len()), "{} worlds", worlds.len());
        let mut without = worlds.clone();
        without.remove(0);
        assert!(!cover::missing(&without).is_empty(), "a world too many");
    }
}
