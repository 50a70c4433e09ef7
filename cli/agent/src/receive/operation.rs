//! Forwards the operations of Nix's protocol that a push and a build on the machine need. All other
//! operations are refused; they are for administrators of the store.

use std::io::{self, Read, Write};

use deploy_delta::operations::{NUMBERS, Part, SET_OPTIONS, parts};

use super::words::{ProtocolRelay, refused};

/// Forwards one operation with its number.
pub fn carry<R: Read, W: Write>(number: u64, words: &mut ProtocolRelay<R, W>) -> io::Result<()> {
    let Some(parts) = parts(number) else {
        return Err(refused(format!("operation {number} of Nix's protocol is not allowed")));
    };
    words.write(number)?;
    for part in parts {
        // The daemon reads an operation's values before it asks for the data.
        words.flush()?;
        match part {
            Part::Number => words.number().map(drop)?,
            Part::String => words.string()?,
            Part::Strings => words.strings()?,
            Part::Frames => words.frames()?,
        }
    }
    words.flush()
}

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
