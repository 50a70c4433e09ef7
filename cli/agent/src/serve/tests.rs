use deploy_wire::message::RefusalKind;
use proptest::{collection, prelude::*, sample::Index, test_runner::Config};

use super::*;

const REQUESTS: [&str; 3] = [
    include_str!("../../../wire/golden/message/request-stage.json"),
    include_str!("../../../wire/golden/message/request-confirm.json"),
    include_str!("../../../wire/golden/message/request-cancel.json"),
];

/// Overwrites bytes of requests and truncates them. Each is either parsed or refused with a reason.
fn damaged_requests(cases: u32) {
    let lines = REQUESTS.map(|request| {
        let read: serde_json::Value = serde_json::from_str(request).unwrap();
        read.to_string()
    });
    let changes = collection::vec(any::<(Index, u8)>(), 0..4);
    let config = Config { cases, ..Config::default() };
    proptest!(config, |(which in 0..REQUESTS.len(), changes in changes, end in any::<Index>())| {
        let mut bytes = lines[which].clone().into_bytes();
        // A request that is only truncated, or changed but complete.
        if changes.is_empty() {
            bytes.truncate(end.index(bytes.len()));
        }
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        match read(&String::from_utf8_lossy(&bytes)) {
            Ok(asked) => prop_assert!(asked.version <= WIRE_VERSION),
            Err(refusal) => {
                prop_assert_eq!(refusal.kind, RefusalKind::Unreadable);
                let words = 1..2_000;
                prop_assert!(words.contains(&refusal.why.len()), "{}", refusal.why);
            }
        }
    });
}

#[test]
fn a_damaged_request_is_read_or_refused() {
    damaged_requests(10_000);
}

#[test]
#[ignore = "left to scripts/soak: a million requests take minutes"]
fn a_million_damaged_requests_are_read_or_refused() {
    damaged_requests(1_000_000);
}
