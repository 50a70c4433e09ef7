//! The operations of Nix's protocol that a push and a build on the machine need, with the format of
//! each.

/// One or several values of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A number of 64 bits.
    Number,
    /// A string, padded to eight bytes.
    String,
    /// A list of strings.
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

/// The values of an operation; `None` if a push does not need it.
pub fn parts(number: u64) -> Option<&'static [Part]> {
    KNOWN.iter().find(|(known, _)| *known == number).map(|(_, parts)| *parts)
}

/// The operation that asks which of many paths are valid: paths, whether to substitute.
pub const QUERY_VALID_PATHS: u64 = 31;

/// The operation that imports many paths. Its frames hold a number of paths, and for each of them
/// what [`Part`]s of `AddToStoreNar` say until the content address, then its archive.
pub const ADD_MULTIPLE_TO_STORE: u64 = 44;

/// The number of values in `SetOptions` before the settings by name: verbosity, parallelism,
/// whether to substitute. None of them names a program.
pub const NUMBERS: usize = 12;
