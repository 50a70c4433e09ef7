//! The client side of Nix's daemon protocol: a greeting, then one operation after another.
//!
//! The daemon trusts root, and its process belongs to root. A client could therefore set any
//! setting, for example a program that runs after each build. A daemon that does not trust its
//! client would refuse unsigned closures. So the agent parses the client's messages and forwards
//! only what a push needs:
//! `nix-s-protocol-takes-no-settings-from-a-user-who-may-run-only-the-agent` proves it.

use std::io::{self, Read, Write};

use deploy_delta::operations::SET_OPTIONS;

use super::{
    operation, refusal,
    words::{ProtocolRelay, refused},
};

/// The newest supported version, 1.37. Client and daemon agree on the lower of their versions.
pub const VERSION: u64 = 0x125;

/// The oldest supported version. In older ones `AddToStore` has another format.
const OLDEST: u64 = 0x120;

const MAGIC: u64 = 0x6e69_7863;

/// Forwards the client's messages to the daemon, each operation by `operation`, which gets its number.
/// Ends with the client, or at a message that is not allowed, which is answered here, because the
/// daemon never sees it.
pub fn carry<R: Read, W: Write>(
    client: R,
    daemon: W,
    answers: impl Write,
    operation: impl Fn(u64, &mut ProtocolRelay<R, W>) -> io::Result<()>,
) -> io::Result<()> {
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
        let forwarded = match number {
            SET_OPTIONS => operation::set_options(&mut words),
            number => operation(number, &mut words),
        };
        if let Err(error) = forwarded {
            if error.kind() == io::ErrorKind::InvalidData {
                refusal::answer(&error.to_string(), answers)?;
            }
            return Err(error);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
