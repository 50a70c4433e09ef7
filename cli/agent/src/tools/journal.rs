//! Reading the journal with `journalctl`, and writing a line to it.

use std::{os::unix::net::UnixDatagram, process::Command, time::Duration};

use anyhow::{Context, Result, bail};

use super::process;

const LIMIT: Duration = Duration::from_secs(60);

const SOCKET: &str = "/run/systemd/journal/socket";

/// How long to wait for a full queue. Any user on the machine can fill it.
const PATIENCE: Duration = Duration::from_secs(2);

/// The journal of these units, oldest line first.
pub fn of_units(units: &[String]) -> Result<Vec<String>> {
    let mut command = Command::new(process::find("journalctl", &[]));
    command.args(["--no-pager", "--quiet", "--output=short-iso"]);
    for unit in units {
        command.args(["--unit", unit]);
    }
    let ran = process::run(&mut command, LIMIT)?;
    if !ran.succeeded() {
        bail!("journalctl failed: {}", ran.last_words());
    }
    Ok(ran.out.lines().map(Into::into).collect())
}

/// Writes one line under the agent's name. When this returns, the kernel has the line.
pub fn tell(message: &str) -> Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.send_to(entry(message).as_bytes(), SOCKET).context(SOCKET)?;
    Ok(())
}

/// Formats an entry in the journal's own format, where each line is a field. A line break in the
/// message would let its sender add a field.
fn entry(message: &str) -> String {
    let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("PRIORITY=5\nSYSLOG_IDENTIFIER=deploy-agent\nMESSAGE={line}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_field_of_the_journal() {
        let entry = entry("stage\nPRIORITY=0\n_UID=0\x1b[2J");
        assert_eq!(entry.lines().count(), 3, "{entry}");
        assert!(entry.ends_with("MESSAGE=stage PRIORITY=0 _UID=0 [2J\n"), "{entry}");
    }
}
