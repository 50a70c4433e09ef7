//! The order of versions in systemd-boot's menu, by the UAPI group's version format.

use std::cmp::Ordering;

/// Compares two versions: digits as numbers, letters as text, and `~` sorts before the end of the
/// text.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        a = without_separators(a);
        b = without_separators(b);
        if let Some(order) = at_mark(&mut a, &mut b, b'~').map(Ordering::reverse) {
            return order;
        }
        if a.is_empty() || b.is_empty() {
            return a.is_empty().cmp(&b.is_empty()).reverse();
        }
        for mark in [b'-', b'^', b'.'] {
            if let Some(order) = at_mark(&mut a, &mut b, mark).map(Ordering::reverse) {
                return order;
            }
        }
        let order = if starts_with(a, u8::is_ascii_digit) || starts_with(b, u8::is_ascii_digit) {
            let (x, y) = (take(&mut a, u8::is_ascii_digit), take(&mut b, u8::is_ascii_digit));
            // A missing number is older than any number.
            (!x.is_empty())
                .cmp(&!y.is_empty())
                .then_with(|| significant(x).len().cmp(&significant(y).len()))
                .then_with(|| significant(x).cmp(significant(y)))
        } else {
            let (x, y) =
                (take(&mut a, u8::is_ascii_alphabetic), take(&mut b, u8::is_ascii_alphabetic));
            x.cmp(y)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Compares the versions at `mark`. If only one has the mark, that one is the greater here. If both
/// have it, the function skips it.
fn at_mark(a: &mut &[u8], b: &mut &[u8], mark: u8) -> Option<Ordering> {
    let has = |text: &[u8]| text.first() == Some(&mark);
    match (has(a), has(b)) {
        (true, true) => {
            *a = &a[1..];
            *b = &b[1..];
            None
        }
        (false, false) => None,
        (one, other) => Some(one.cmp(&other)),
    }
}

fn without_separators(text: &[u8]) -> &[u8] {
    let counts = |byte: &u8| byte.is_ascii_alphanumeric() || b"~-^.".contains(byte);
    let from = text.iter().position(counts).unwrap_or(text.len());
    &text[from..]
}

fn starts_with(text: &[u8], kind: fn(&u8) -> bool) -> bool {
    text.first().is_some_and(kind)
}

fn take<'a>(text: &mut &'a [u8], kind: fn(&u8) -> bool) -> &'a [u8] {
    let end = text.iter().position(|byte| !kind(byte)).unwrap_or(text.len());
    let (taken, rest) = text.split_at(end);
    *text = rest;
    taken
}

fn significant(digits: &[u8]) -> &[u8] {
    let from = digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len());
    &digits[from..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // `sort` may panic if the order contradicts itself.
    proptest! {
        #[test]
        fn the_order_does_not_contradict_itself(
            a in "[0-9ab.~^ -]{0,8}", b in "[0-9ab.~^ -]{0,8}", c in "[0-9ab.~^ -]{0,8}",
        ) {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            if compare(&a, &b) == compare(&b, &c) {
                prop_assert_eq!(compare(&a, &c), compare(&a, &b));
            }
        }
    }

    #[test]
    fn newer_versions_are_greater() {
        // Oldest first, as the specification lists them.
        let ascending = [
            "122.1",
            "123~rc1-1",
            "123",
            "123-a",
            "123-a.1",
            "123-1",
            "123-1.1",
            "123^post1",
            "123.a-1",
            "123.1-1",
            "123a-1",
            "124-1",
        ];
        for (older, newer) in ascending.iter().zip(ascending.iter().skip(1)) {
            assert_eq!(compare(older, newer), Ordering::Less, "{older} < {newer}");
            assert_eq!(compare(newer, older), Ordering::Greater, "{newer} > {older}");
            assert_eq!(compare(older, older), Ordering::Equal, "{older}");
        }
    }

    #[test]
    fn generations_are_numbers() {
        let newer = compare("Generation 10 NixOS 25.11", "Generation 9 NixOS 25.11");
        assert_eq!(newer, Ordering::Greater);
        assert_eq!(compare("nixos-generation-9.conf", "nixos-generation-10.conf"), Ordering::Less);
        assert_eq!(compare("007", "7"), Ordering::Equal);
    }
}
