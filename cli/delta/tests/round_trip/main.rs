//! Whole pushes through both ends: what comes out is what went in, or an error, and never another
//! path.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod push;
mod store;

use std::{fs, io::Read};

use proptest::prelude::*;

use push::{Imported, Push};
use store::Random;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Random trees with references, beside bases that resemble them more or less.
    #[test]
    fn what_comes_out_is_what_went_in(seed in any::<u64>()) {
        let push = Push::random(&mut Random(seed | 1), 20_000);
        let received = push.receive(&push.tokens).unwrap();
        prop_assert!(received == push.protocol, "another stream");
        prop_assert_eq!(store::import(&received).unwrap(), push.paths);
    }
}

/// A build of the same sources with another hash for each path is a few copies.
#[test]
fn a_mass_rebuild_is_hardly_anything() {
    let mut random = Random(7);
    let push = Push::rebuilt(&mut random, 600_000);
    assert_eq!(push.receive(&push.tokens).unwrap(), push.protocol);
    let (tokens, protocol) = (push.tokens.len(), push.protocol.len());
    assert!(tokens * 100 < protocol, "{tokens} bytes for {protocol}");
}

/// A stream that ends early is an error of whoever reads it, and gives no path that is not whole.
#[test]
fn a_cut_at_every_token_and_within_each_gives_whole_paths_or_none() {
    let push = Push::random(&mut Random(99), 3_000);
    let mut whole = 0;
    for end in 0..push.tokens.len() {
        let mut received = Vec::new();
        let mut decoder = push.decoder(&push.tokens[..end]);
        let ended = decoder.read_to_end(&mut received);
        assert!(push.protocol.starts_with(&received), "cut at {end}");
        let imported = store::import(&received).unwrap_or_else(|imported| imported);
        assert!(push.paths.starts_with(&imported), "cut at {end}");
        whole += usize::from(ended.is_ok());
    }
    assert!(whole == 4 && whole < push.tokens.len() / 2, "{whole}");
}

#[test]
fn a_base_that_is_damaged_or_gone_is_named_and_nothing_of_it_is_given() {
    for damage in [Damage::Flip, Damage::Shorter, Damage::Gone] {
        let push = Push::rebuilt(&mut Random(5), 50_000);
        let file = push.largest_file();
        let mut bytes = fs::read(&file).unwrap();
        match damage {
            Damage::Flip => {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                fs::write(&file, bytes).unwrap();
            }
            Damage::Shorter => fs::write(&file, &bytes[..bytes.len() / 2]).unwrap(),
            Damage::Gone => fs::remove_dir_all(push.folder.path()).unwrap(),
        }
        let mut received = Vec::new();
        let mut decoder = push.decoder(&push.tokens);
        assert!(decoder.read_to_end(&mut received).is_err());
        assert!(push.protocol.starts_with(&received));
        assert_eq!(push.damaged.borrow().len(), 1, "{:?}", push.damaged);
    }
}

enum Damage {
    Flip,
    Shorter,
    Gone,
}

/// Changes bytes of the tokens, of an index, or of a base on the disk. What is imported in the end
/// is what was pushed, by its name and its hash; a name or a hash that was changed itself does not
/// count.
fn mutated(pushes: u64, streams: u64) {
    let mut whole = 0;
    for seed in 1..=pushes {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let push = Push::random(&mut random, 1_000);
        for number in 0..streams / pushes {
            let mut tokens = match number % 4 {
                0 => push.encoded_with(&push.lying_index(&mut random)),
                _ => push.tokens.clone(),
            };
            if number % 4 != 0 || random.below(2) == 0 {
                for _ in 0..=random.below(3) {
                    let at = random.below(tokens.len());
                    tokens[at] ^= 1 << random.below(8);
                }
            }
            let mut received = Vec::new();
            let ended = push.decoder(&tokens).take(1 << 22).read_to_end(&mut received);
            let imported = store::import(&received).unwrap_or_else(|imported| imported);
            for path in &imported {
                let same =
                    |pushed: &&Imported| pushed.path == path.path && pushed.hash == path.hash;
                if let Some(pushed) = push.paths.iter().find(same) {
                    assert!(pushed.archive == path.archive, "push {seed}, stream {number}");
                }
                assert_eq!(store::hash(&path.archive), path.hash);
            }
            whole += u64::from(ended.is_ok() && imported == push.paths);
        }
    }
    // Some changes change nothing, or what is not compared.
    assert!(whole < streams / 2, "{whole} of {streams}");
    println!("{streams} streams, of which {whole} gave all paths");
}

#[test]
fn a_hundred_thousand_mutated_streams_give_no_wrong_path() {
    mutated(100, 100_000);
}

#[test]
#[ignore = "minutes: scripts/soak"]
fn a_million_mutated_streams_give_no_wrong_path() {
    mutated(1000, 1_000_000);
}
