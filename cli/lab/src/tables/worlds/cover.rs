//! A greedy generator of a covering array of pairs. Each new world is the best of several random
//! candidates. The same axes give the same array.

use std::collections::BTreeSet;

use super::{Axis, IMPOSSIBLE, Value, World, array};

/// Values of two axes, in the order of the axes.
pub type Pair = (Value, Value);

/// The number of candidates for each new world.
const TRIES: u32 = 60;

/// The range of the random tie-breaker.
const LOTS: usize = 1 << 16;

/// Generates the text of the array's file.
pub fn make() -> String {
    let mut worlds: Vec<World> = Vec::new();
    let mut open = missing(&[]);
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    while !open.is_empty() {
        let tried = (0..TRIES).filter_map(|_| put_together(&open, &mut random));
        let best = tried.max_by_key(|values| covered(values, &open).count());
        let Some(values) = best else { continue };
        let done: Vec<Pair> = covered(&values, &open).collect();
        open.retain(|pair| !done.contains(pair));
        worlds.push(World { number: worlds.len() + 1, values });
    }
    array::text(&worlds)
}

/// The possible pairs that none of these worlds has.
pub(super) fn missing(worlds: &[World]) -> BTreeSet<Pair> {
    let mut pairs = BTreeSet::new();
    for (at, first) in Axis::ALL.into_iter().enumerate() {
        for second in Axis::ALL.into_iter().skip(at + 1) {
            for one in first.values() {
                pairs.extend(second.values().iter().map(|two| ((first, *one), (second, *two))));
            }
        }
    }
    let impossible = |(one, two): &Pair| {
        IMPOSSIBLE.iter().any(|(a, b, _)| (a, b) == (one, two) || (b, a) == (one, two))
    };
    let had = |(one, two): &Pair| worlds.iter().any(|world| world.has(*one) && world.has(*two));
    pairs.retain(|pair| !impossible(pair) && !had(pair));
    pairs
}

/// Whether no two of these values exclude each other. The values are in the order of the axes.
pub(super) fn can_be(values: &[&str]) -> bool {
    let has = |(axis, value): &Value| values.get(*axis as usize) == Some(value);
    !IMPOSSIBLE.iter().any(|(one, two, _)| has(one) && has(two))
}

fn covered<'a>(values: &'a [&'static str], open: &'a BTreeSet<Pair>) -> impl Iterator<Item = Pair> {
    let has = |(axis, value): &Value| values[*axis as usize] == *value;
    open.iter().filter(move |(one, two)| has(one) && has(two)).copied()
}

/// Builds a world around an uncovered pair. The other axes follow in random order, each with the
/// value that covers most pairs.
fn put_together(open: &BTreeSet<Pair>, random: &mut Random) -> Option<Vec<&'static str>> {
    let (one, two) = *open.iter().nth(random.below(open.len()))?;
    let mut chosen = vec![one, two];
    let mut axes: Vec<_> =
        Axis::ALL.into_iter().filter(|it| ![one.0, two.0].contains(it)).collect();
    while !axes.is_empty() {
        let axis = axes.swap_remove(random.below(axes.len()));
        let closes = |value: &&'static str| {
            let own: Value = (axis, *value);
            let pair = |other: Value| if other < own { (other, own) } else { (own, other) };
            let count = chosen.iter().filter(|other| open.contains(&pair(**other))).count();
            (count, random.below(LOTS))
        };
        let value = axis.values().iter().copied().max_by_key(closes)?;
        chosen.push((axis, value));
    }
    chosen.sort_unstable();
    let values: Vec<_> = chosen.into_iter().map(|(_, value)| value).collect();
    can_be(&values).then_some(values)
}

/// xorshift, which is random enough to vary the order.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % limit
    }
}
