//! `deploy-agent serve --stdio`: Nix's own protocol. It is the other end of a push that `deploy`
//! compresses, and of every push of a user who may run no other program as root.

mod client;
mod compressed;
mod operation;
mod words;

use std::{
    io::{self, BufReader, Read, Write},
    thread,
};

use anyhow::{Result, bail};

use crate::{
    tools::{journal, mark::PushMark, nix},
    trust::origin::Origin,
};

/// Forwards the protocol under the mark that every push sets. The client's messages go through
/// [`client::carry`].
pub fn receive() -> Result<()> {
    let note = format!("asked to carry Nix's protocol, from {}", Origin::here());
    if let Err(error) = journal::tell(&note) {
        eprintln!("deploy-agent: the journal did not take a note of this request: {error:#}");
    }
    let mark = PushMark::set(|text| eprintln!("{text}"))?;
    let carried = carry();
    mark.clear()?;
    carried
}

fn carry() -> Result<()> {
    let nix::Daemon { mut child, stdin, mut stdout } = nix::daemon()?;
    // The thread ends with this process. The client may be silent for any time.
    thread::spawn(move || {
        let client = BufReader::with_capacity(words::PIECE, io::stdin().lock());
        let carried = compressed::plain(client)
            .and_then(|plain| client::carry(BufReader::with_capacity(words::PIECE, plain), stdin));
        if let Err(error) = carried {
            eprintln!("deploy-agent: {error}");
        }
    });
    let mut out = io::stdout().lock();
    let answered = answer(&mut stdout, &mut out);
    if answered.is_err() {
        // Nobody would read the daemon's output.
        let _ = child.kill();
    }
    let status = child.wait()?;
    if answered.is_ok() && !status.success() {
        bail!("nix-daemon: {status}");
    }
    Ok(answered?)
}

/// Forwards the daemon's messages, and replaces the version in its greeting by one that [`client`]
/// supports.
fn answer(daemon: &mut impl Read, out: &mut impl Write) -> io::Result<()> {
    let mut greeting = [0; 16];
    if daemon.read_exact(&mut greeting).is_ok() {
        let version = words::number_of(&greeting[8..]);
        out.write_all(&greeting[..8])?;
        out.write_all(&version.min(client::VERSION).to_le_bytes())?;
        out.flush()?;
    }
    let mut piece = vec![0; words::PIECE];
    loop {
        let length = daemon.read(&mut piece)?;
        if length == 0 {
            return Ok(());
        }
        out.write_all(&piece[..length])?;
        out.flush()?;
    }
}
