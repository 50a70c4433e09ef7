//! The operations of Nix's protocol that a push and a build on the machine need, with the format of
//! each. All other operations are refused; they are for administrators of the store.

use super::words::{ProtocolRelay, refused};
use std::io::{self, Read, Write};

/// One or several values of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Number,
    String,
    Strings,
    /// Files, in frames.
    Frames,
}

use Part::{Frames, Number, String, Strings};

/// The number of the operation that sets Nix's settings.
pub const SET_OPTIONS: u64 = 19;

/// The forwarded operations of Nix's `worker-protocol.hh`, up to version 1.37.
const KNOWN: [(u64, &[Part]); 19] = [
    // IsValidPath
    (1, &[String]),
    // QueryReferrers
    (6, &[String]),
    // AddToStore: name, method, references, repair, data
    (7, &[String, String, Strings, Number, Frames]),
    // BuildPaths: paths, mode
    (9, &[Strings, Number]),
    // EnsurePath
    (10, &[String]),
    // AddTempRoot
    (11, &[String]),
    // QueryPathInfo
    (26, &[String]),
    // QueryPathFromHashPart
    (29, &[String]),
    // QueryValidPaths: paths, whether to substitute
    (31, &[Strings, Number]),
    // QuerySubstitutablePaths
    (32, &[Strings]),
    // QueryValidDerivers
    (33, &[String]),
    // NarFromPath
    (38, &[String]),
    // AddToStoreNar: path, deriver, hash, references, time, size, ultimate, signatures, content
    // address, repair, whether signatures do not matter, data
    (
        39,
        &[
            String, String, String, Strings, Number, Number, Number, Strings, String, Number,
            Number, Frames,
        ],
    ),
    // QueryMissing
    (40, &[Strings]),
    // QueryDerivationOutputMap
    (41, &[String]),
    // RegisterDrvOutput
    (42, &[String]),
    // QueryRealisation
    (43, &[String]),
    // AddMultipleToStore: repair, whether signatures do not matter, data
    (44, &[Number, Number, Frames]),
    // BuildPathsWithResults: paths, mode
    (46, &[Strings, Number]),
];

/// Forwards one operation with its number.
pub fn carry<R: Read, W: Write>(number: u64, words: &mut ProtocolRelay<R, W>) -> io::Result<()> {
    let Some((_, parts)) = KNOWN.iter().find(|(known, _)| *known == number) else {
        return Err(refused(format!("operation {number} of Nix's protocol is not allowed")));
    };
    words.write(number)?;
    for part in *parts {
        // The daemon reads an operation's values before it asks for the data.
        words.flush()?;
        match part {
            Number => words.number().map(drop)?,
            String => words.string()?,
            Strings => words.strings()?,
            Frames => words.frames()?,
        }
    }
    words.flush()
}

/// The number of values in `SetOptions` before the settings by name: verbosity, parallelism,
/// whether to substitute. None of them names a program.
const NUMBERS: usize = 12;

/// Forwards `SetOptions` without its settings by name. These could name programs that the daemon
/// runs as root (`post-build-hook`, `build-hook`) and users whom it trusts. The outputs of failed
/// builds are not kept.
pub fn set_options<R: Read, W: Write>(words: &mut ProtocolRelay<R, W>) -> io::Result<()> {
    words.write(SET_OPTIONS)?;
    words.read()?;
    words.write(0)?;
    for _ in 1..NUMBERS {
        words.number()?;
    }
    for _ in 0..words.read()? {
        words.drop_string()?;
        words.drop_string()?;
    }
    words.write(0)?;
    words.flush()
}
