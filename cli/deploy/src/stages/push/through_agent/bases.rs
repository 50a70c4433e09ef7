//! What the agent said of the paths that the machine has.

use std::{cell::RefCell, collections::HashMap};

use deploy_delta::{
    answer::{Answer, Base},
    index::Index,
};
use tokio::sync::Notify;

/// The most bytes of indexes that wait for their paths. More are dropped, and their paths are sent
/// as a whole.
const MOST: usize = 16 << 20;

/// The most answers about the line that are on their way: half a megabyte is.
const IN_FLIGHT: u32 = 5;

/// What the two directions of a push share.
#[derive(Default)]
pub struct KnownBases {
    inside: RefCell<Inside>,
    changed: Notify,
}

#[derive(Default)]
struct Inside {
    /// Whether the agent knows the delta, once that is known.
    delta: Option<bool>,
    bases: Option<HashMap<u32, Base>>,
    indexes: HashMap<u32, Encoded>,
    /// The bytes of all indexes.
    held: usize,
    /// Of a hundred parts of its time, how many the machine waited for the line of late.
    waited: Option<u8>,
    /// How many of its next answers about that count copies, for which it waits for its own disk.
    copies: u32,
}

/// An index as it comes.
#[derive(Default)]
struct Encoded {
    bytes: Vec<u8>,
    is_whole: bool,
    is_refused: bool,
}

impl KnownBases {
    /// Waits until something changes.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Takes note of whether the agent knows the delta.
    pub fn set_delta(&self, delta: bool) {
        self.inside.borrow_mut().delta = Some(delta);
        self.changed.notify_one();
    }

    /// Whether the agent knows the delta; `None` while it has not said so.
    pub fn delta(&self) -> Option<bool> {
        self.inside.borrow().delta
    }

    /// Whether the agent has named its bases.
    pub fn are_named(&self) -> bool {
        self.inside.borrow().bases.is_some()
    }

    /// The numbers of all wanted paths with a base.
    pub fn all(&self) -> Vec<Base> {
        self.inside.borrow().bases.iter().flat_map(HashMap::values).cloned().collect()
    }

    /// The base of a wanted path.
    pub fn get(&self, number: u32) -> Option<Base> {
        self.inside.borrow().bases.as_ref()?.get(&number).cloned()
    }

    /// Takes note that copies are sent.
    pub fn will_be_read(&self) {
        self.inside.borrow_mut().copies = IN_FLIGHT;
    }

    /// Whether the line holds the push back, and not the machine.
    pub fn wait_for_the_line(&self) -> bool {
        self.inside.borrow().waited.is_none_or(|share| share > 50)
    }

    /// Takes an answer that is not the daemon's.
    pub fn take(&self, answer: Answer) {
        let mut inside = self.inside.borrow_mut();
        match answer {
            Answer::Bases(bases) => {
                let by_number = bases.into_iter().map(|base| (base.number, base));
                inside.bases = Some(by_number.collect());
            }
            Answer::Index { number, part, last } => {
                inside.held += part.len();
                let full = inside.held > MOST;
                let index = inside.indexes.entry(number).or_default();
                if full {
                    index.is_refused = true;
                    let dropped = part.len() + index.bytes.len();
                    index.bytes = Vec::new();
                    inside.held -= dropped;
                } else {
                    index.bytes.extend_from_slice(&part);
                    index.is_whole = last;
                }
            }
            Answer::NoIndex(number) => {
                inside.indexes.entry(number).or_default().is_refused = true;
            }
            Answer::Waited(_) if inside.copies > 0 => inside.copies -= 1,
            Answer::Waited(share) => inside.waited = Some(share),
            Answer::Daemon(_) | Answer::Damaged(_) => {}
        }
        self.changed.notify_one();
    }

    /// Takes the index of a base out; the inner `None` where there will be none, and `None` while
    /// it has not come.
    pub fn take_index(&self, base: &Base) -> Option<Option<Index>> {
        let mut inside = self.inside.borrow_mut();
        let index = inside.indexes.get(&base.number)?;
        if !index.is_whole && !index.is_refused {
            return None;
        }
        let index = inside.indexes.remove(&base.number)?;
        inside.held -= index.bytes.len();
        let whole = index.is_whole && !index.is_refused;
        Some(whole.then(|| Index::read(base.length, &index.bytes).ok()).flatten())
    }
}

#[cfg(test)]
mod tests {
    use deploy_wire::store_path::StorePath;

    use super::*;

    #[test]
    fn indexes_are_taken_once_they_are_whole_and_not_kept_without_end() {
        let known = KnownBases::default();
        let path = StorePath::parse(&format!("/nix/store/{}-a", "0".repeat(32))).unwrap();
        let base = |number| Base {
            number,
            path: path.clone(),
            references: Vec::new(),
            hash: [0; 32],
            length: 1 << 30,
        };
        let part = |number, length, last| {
            known.take(Answer::Index { number, part: vec![7; length], last });
        };
        part(1, 20, false);
        assert_eq!(known.take_index(&base(1)), None);
        part(1, 10, true);
        assert!(known.take_index(&base(1)).unwrap().is_some());
        known.take(Answer::NoIndex(2));
        assert_eq!(known.take_index(&base(2)), Some(None));
        part(3, MOST, false);
        part(3, 10, true);
        assert_eq!(known.take_index(&base(3)), Some(None));
        part(4, 10, true);
        assert!(known.take_index(&base(4)).unwrap().is_some());
        assert_eq!(known.inside.borrow().held, 0);
    }

    #[test]
    fn a_machine_that_does_not_wait_has_no_slow_line_unless_it_reads_its_disk() {
        let known = KnownBases::default();
        assert!(known.wait_for_the_line());
        known.take(Answer::Waited(90));
        assert!(known.wait_for_the_line());
        known.will_be_read();
        (0..IN_FLIGHT).for_each(|_| known.take(Answer::Waited(3)));
        assert!(known.wait_for_the_line());
        known.take(Answer::Waited(3));
        assert!(!known.wait_for_the_line());
    }
}
