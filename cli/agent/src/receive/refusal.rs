//! A refusal as the daemon itself would say it, in Nix's protocol.

use std::io::{self, Write};

/// `STDERR_ERROR` of Nix's `worker-protocol.hh`: the operation failed.
const FAILED: u64 = 0x6378_7470;

/// Answers an operation in the daemon's place. stderr alone loses the reason where Nix ends its
/// `ssh` before that has printed it. The format is that of the versions since 1.26, older ones
/// are refused before.
pub fn answer(why: &str, mut to: impl Write) -> io::Result<()> {
    let number = u64::to_le_bytes;
    let string = |text: &str| {
        let mut bytes = [&number(text.len() as u64), text.as_bytes()].concat();
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    };
    // The type, a level of 0 for an error, a name that no client reads, no position and no traces.
    let said = [&number(FAILED)[..], &string("Error"), &number(0), &string("Error"), &string(why)]
        .concat();
    to.write_all(&[&said[..], &number(0), &number(0)].concat())?;
    to.flush()
}
