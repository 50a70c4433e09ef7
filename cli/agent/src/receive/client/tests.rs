use proptest::prelude::*;

use super::*;

fn number(number: u64) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = [number(text.len() as u64), text.as_bytes().to_vec()].concat();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// A client's greeting with a version, which is also what the daemon receives.
fn greeting(version: u64) -> Vec<u8> {
    [MAGIC, version, 0, 0].into_iter().flat_map(number).collect()
}

fn carried(said: &[u8]) -> (Vec<u8>, Result<(), String>) {
    let mut heard = Vec::new();
    let carried =
        carry(said, &mut heard, io::sink(), operation::carry).map_err(|error| error.to_string());
    (heard, carried)
}

#[test]
fn settings_that_a_client_names_do_not_reach_the_daemon() {
    let numbers: Vec<u8> = (1..=12).flat_map(number).collect();
    let hook = [string("post-build-hook"), string("/tmp/of-the-client")].concat();
    let said = [greeting(VERSION), number(19), numbers, number(1), hook, number(10), string("p")];
    let (heard, ended) = carried(&said.concat());
    assert_eq!(ended, Ok(()));
    let numbers: Vec<u8> = [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0].map(number).concat();
    let expected = [greeting(VERSION), number(19), numbers, number(10), string("p")].concat();
    assert_eq!(heard, expected);
}

#[test]
fn a_newer_version_is_brought_down_to_one_that_is_read() {
    let (heard, ended) = carried(&greeting(0x1ff));
    assert_eq!((heard, ended), (greeting(VERSION), Ok(())));
    let old = carried(&greeting(0x110)).1.unwrap_err();
    assert_eq!(old, "Nix's protocol 1.16 is too old");
    assert!(carried(&number(7)).1.unwrap_err().contains("not Nix's protocol"));
}

#[test]
fn a_closure_goes_over_as_it_is() {
    let frame = |text: &str| [number(text.len() as u64), text.as_bytes().to_vec()].concat();
    let paths = [number(2), string("/nix/store/a"), string("/nix/store/bb")].concat();
    let said = [
        greeting(VERSION),
        [number(31), paths.clone(), number(1)].concat(),
        // Frames are not padded.
        [number(44), number(0), number(1), frame("abc"), frame("defghi"), number(0)].concat(),
        [number(46), paths, number(0)].concat(),
    ]
    .concat();
    assert_eq!(carried(&said), (said.clone(), Ok(())));
}

/// Garbage collection, unchecked imports, signatures, roots, logs, obsolete operations, and
/// operations of future versions.
#[test]
fn no_other_operation_reaches_the_daemon() {
    for other in [8, 12, 16, 20, 27, 34, 35, 36, 37, 45, 47, 48, 1000, u64::MAX] {
        let said = [greeting(VERSION), number(other), string("x")].concat();
        let (heard, ended) = carried(&said);
        assert_eq!(heard, greeting(VERSION), "{other}");
        assert!(ended.unwrap_err().contains("is not allowed"), "{other}");
    }
}

/// The client waits for an answer to each operation. What it sees is what Nix's own client
/// (`WorkerProto`, `STDERR_ERROR`) reads: type, level, name, message, position, traces.
#[test]
fn an_operation_that_is_not_allowed_is_answered() {
    let mut answers = Vec::new();
    let said = [greeting(VERSION), number(20)].concat();
    carry(&said[..], io::sink(), &mut answers, operation::carry).unwrap_err();
    let why = string("operation 20 of Nix's protocol is not allowed");
    let error = [number(0x6378_7470), string("Error"), number(0), string("Error"), why];
    assert_eq!(answers, [error.concat(), number(0), number(0)].concat());
}

#[test]
fn a_string_without_end_is_not_waited_for() {
    let said = [greeting(VERSION), number(1), number(u64::MAX)].concat();
    assert!(carried(&said).1.unwrap_err().starts_with("a word of "));
}

proptest! {
    /// Every input ends, and every forwarded operation begins with a known number.
    #[test]
    fn whatever_a_client_says_ends(
        said in proptest::collection::vec(prop_oneof![0..50_u64, any::<u64>()], 0..60),
    ) {
        let said: Vec<u8> = said.into_iter().flat_map(number).collect();
        let (heard, _) = carried(&[greeting(VERSION), said.clone()].concat());
        prop_assert!(heard.len() <= said.len() + greeting(VERSION).len());
    }
}
