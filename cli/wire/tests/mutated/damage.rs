//! Ways to damage a text, a document, and what is asked of an error about it.

use serde_json::{Value, json};

/// xorshift64: no crate's next version changes the inputs.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

/// Flips bits, cuts, doubles, removes and moves pieces of a text.
pub fn damage(text: &[u8], random: &mut Random) -> Vec<u8> {
    let mut text = text.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(text.len());
        let end = (at + 1 + random.below(40)).min(text.len());
        match random.below(6) {
            _ if text.is_empty() => {}
            0 => text.truncate(at),
            1 => drop(text.drain(at..end)),
            2 => {
                let piece = text[at..end].to_vec();
                let to = random.below(text.len());
                text.splice(to..to, piece);
            }
            3 => text[at] = u8::try_from(random.below(256)).unwrap(),
            4 => text[at..end].reverse(),
            _ => text[at] ^= 1 << random.below(8),
        }
    }
    text
}

/// Removes, replaces, renames or adds one value somewhere in a document.
pub fn change(value: &mut Value, random: &mut Random) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let key = fields.keys().nth(random.below(fields.len())).unwrap().clone();
            match random.below(5) {
                0 => drop(fields.remove(&key)),
                1 => drop(fields.insert(key, odd(random))),
                2 => drop(fields.insert(format!("{key}x"), json!(1))),
                _ => change(fields.get_mut(&key).unwrap(), random),
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let at = random.below(items.len());
            change(&mut items[at], random);
        }
        other => *other = odd(random),
    }
}

fn odd(random: &mut Random) -> Value {
    match random.below(10) {
        0 => Value::Null,
        1 => json!(-1),
        2 => json!(u64::MAX),
        3 => json!(1.5),
        4 => json!(""),
        5 => json!("/nix/store/x"),
        6 => json!([]),
        7 => json!({}),
        8 => json!(true),
        _ => json!("\u{0}\u{202e}\n"),
    }
}

/// An error that people are shown: words, and not the whole document.
pub fn is_clear(error: &str) {
    assert!(!error.trim().is_empty(), "an error without a word");
    assert!(error.len() < 2_000, "an error of {} bytes: {error:.300}", error.len());
}
