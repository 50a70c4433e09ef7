//! What a client of Nix's daemon says: its greeting, then one operation after the other.
//!
//! The daemon trusts root, whose process it is: a client could set any setting, a program that
//! is run after each build among them. A daemon that does not trust its client would refuse
//! closures without a signature, so the client's words are read here, and only what a push needs
//! goes on: `nix-s-protocol-takes-no-settings-from-a-user-who-may-run-only-the-agent` proves it.

use std::io::{self, Read, Write};

use super::{
    operation,
    words::{ProtocolRelay, refused},
};

/// The newest version that is read here, 1.37: both sides agree upon the lower of theirs.
pub const VERSION: u64 = 0x125;

/// The oldest: before it `AddToStore` had another shape.
const OLDEST: u64 = 0x120;

const MAGIC: u64 = 0x6e69_7863;

/// Carries all that a client says to the daemon. Ends with the client, or at what it may not say.
pub fn carry(client: impl Read, daemon: impl Write) -> io::Result<()> {
    let mut words = ProtocolRelay::new(client, daemon);
    let Some(magic) = words.begin()? else { return Ok(()) };
    if magic != MAGIC {
        return Err(refused("this is not Nix's protocol"));
    }
    words.write(magic)?;
    let version = words.read()?;
    if version < OLDEST {
        return Err(refused(format!("Nix's protocol 1.{} is too old", version & 0xff)));
    }
    words.write(version.min(VERSION))?;
    words.flush()?;
    // A processor to run on, and whether to reserve space: both are of the past.
    if words.number()? != 0 {
        words.number()?;
    }
    words.number()?;
    words.flush()?;
    while let Some(number) = words.begin()? {
        match number {
            operation::SET_OPTIONS => operation::set_options(&mut words)?,
            number => operation::carry(number, &mut words)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
