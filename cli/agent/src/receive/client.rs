//! The client side of Nix's daemon protocol: a greeting, then one operation after another.
//!
//! The daemon trusts root, and its process belongs to root. A client could therefore set any
//! setting, for example a program that runs after each build. A daemon that does not trust its
//! client would refuse unsigned closures. So the agent parses the client's messages and forwards
//! only what a push needs:
//! `nix-s-protocol-takes-no-settings-from-a-user-who-may-run-only-the-agent` proves it.

use std::io::{self, Read, Write};

use deploy_delta::operations::{SET_OPTIONS, parts};

use super::{
    operation, refusal,
    words::{ProtocolRelay, refused},
};

/// The newest supported version, 1.37. Client and daemon agree on the lower of their versions.
pub const VERSION: u64 = 0x125;

/// The oldest supported version. In older ones `AddToStore` has another format.
const OLDEST: u64 = 0x120;

const MAGIC: u64 = 0x6e69_7863;

/// Forwards the client's messages to the daemon. Ends with the client, or at a message that is not
/// allowed. An operation that is not gets its answer here, because the daemon never sees it.
pub fn carry(client: impl Read, daemon: impl Write, answers: impl Write) -> io::Result<()> {
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
    // A CPU to run on, and whether to reserve space. Both are obsolete.
    if words.number()? != 0 {
        words.number()?;
    }
    words.number()?;
    words.flush()?;
    while let Some(number) = words.begin()? {
        match (number, parts(number)) {
            (SET_OPTIONS, _) => operation::set_options(&mut words)?,
            (_, Some(parts)) => operation::carry(number, parts, &mut words)?,
            (_, None) => {
                let why = format!("operation {number} of Nix's protocol is not allowed");
                refusal::answer(&why, answers)?;
                return Err(refused(why));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
