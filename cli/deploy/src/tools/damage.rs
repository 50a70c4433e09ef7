//! Damaged output of a machine, for tests. It is the same in every run.

/// How many conversations of each kind `scripts/test` and `scripts/soak` try.
pub const TIMES: u64 = 10_000;
pub const MILLION: u64 = 1_000_000;

/// Marsaglia's xorshift64.
pub struct Random(u64);

impl Random {
    pub fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// Control characters, the syntax of JSON and of the conversation, and extreme numbers.
const INSERTED: [&[u8]; 9] = [
    b"\n",
    b"{",
    b"\"",
    b"\x1b[2J",
    &[0xff],
    "\u{9b}2J".as_bytes(),
    "\u{202e}".as_bytes(),
    b"18446744073709551615",
    b"-1e999",
];

/// Damages the bytes in up to four places, or not at all, and may cut them off.
pub fn damage(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..random.below(5) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len());
        let part = random.below(bytes.len() - at + 1).min(20);
        match random.below(5) {
            0 => bytes[at] = u8::try_from(random.below(256)).unwrap(),
            1 => bytes.splice(at..at, random.one_of(&INSERTED).iter().copied()).for_each(drop),
            2 => drop(bytes.drain(at..at + part)),
            3 => drop(bytes.splice(at..at + part, random.one_of(&INSERTED).iter().copied())),
            _ => bytes.truncate(at + 1),
        }
    }
}

/// Whether a terminal only shows the text and does nothing else.
pub fn is_harmless(shown: &str) -> bool {
    let acts = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
    !shown.contains(acts)
}
