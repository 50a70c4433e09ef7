//! `deploy-agent serve --stdio`: Nix's own protocol. It is the other end of a push that `deploy`
//! compresses, and of every push of a user who may run no other program as root.

mod client;
mod compressed;
mod delta;
mod gauge;
mod operation;
mod outbox;
mod refusal;
mod words;

use std::{
    io::{self, BufRead, BufReader, Cursor, Read, Write},
    thread,
};

use anyhow::{Result, bail};

use deploy_delta::{GREETING, decode::Decoder};

use self::{compressed::Plain, delta::Delta, gauge::Gauge, outbox::Outbox};
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
    let nix::Daemon { mut child, mut stdin, mut stdout } = nix::daemon()?;
    let mut out = Outbox::new(io::stdout());
    let outbox = out.clone();
    // The thread ends with this process. The client may be silent for any time.
    thread::spawn(move || {
        let stdin_of_client = Gauge::new(io::stdin().lock(), &outbox);
        let client = BufReader::with_capacity(words::PIECE, stdin_of_client);
        let carried = protocol(client, &outbox).and_then(|plain| {
            let plain = BufReader::with_capacity(words::PIECE, plain);
            client::carry(plain, &mut stdin, outbox.clone())
        });
        // Before the daemon's input ends: its end ends this process.
        if let Err(error) = carried {
            eprintln!("deploy-agent: {error}");
        }
    });
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

/// The client's messages, whatever way they came. The daemon says nothing before it has read
/// something, so the client has its answer first.
fn protocol<'a>(client: impl BufRead + 'a, outbox: &Outbox) -> io::Result<Box<dyn Read + 'a>> {
    let Plain { mut stream, asks_for_delta } = compressed::plain(client)?;
    if !asks_for_delta {
        return Ok(stream);
    }
    outbox.announce()?;
    let mut greeting = [0; GREETING];
    stream.read_exact(&mut greeting)?;
    let rest = Decoder::new(BufReader::with_capacity(words::PIECE, stream), Delta::new(outbox));
    Ok(Box::new(Cursor::new(greeting).chain(rest)))
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
