//! `deploy-agent serve --stdio`: Nix's own protocol. It is the other end of a push that `deploy`
//! compresses, and of every push of a user who may run no other program as root.

mod archive;
mod client;
mod compressed;
mod delta;
mod gauge;
mod listed;
mod operation;
mod outbox;
mod partial;
mod refusal;
mod words;

use std::{
    io::{self, BufRead, BufReader, BufWriter, Cursor, Read, Write},
    process::ChildStdin,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use anyhow::{Result, bail};

use deploy_delta::{GREETING, decode::Decoder};

use self::{compressed::Plain, delta::Delta, gauge::Gauge, outbox::Outbox, partial::Keeper};
use crate::{
    builder::{self, Delivery},
    tools::{journal, mark::PushMark, nix},
    trust::origin::Origin,
};

/// Forwards the protocol under the mark that every push sets. The client's messages go through
/// [`client::carry`].
pub fn receive() -> Result<()> {
    note("asked to carry Nix's protocol");
    let mark = PushMark::set(|text| eprintln!("{text}"))?;
    let carried = carry(nix::daemon(None)?, |stdin, outbox| {
        let stdin_of_client = Gauge::new(io::stdin().lock(), &outbox);
        let client = BufReader::with_capacity(words::PIECE, stdin_of_client);
        let keeper = Arc::new(Keeper::new());
        let plain = protocol(client, &outbox, &keeper)?;
        let plain = BufReader::with_capacity(words::PIECE, plain);
        client::carry(plain, stdin, outbox, |number, words| {
            partial::paths(number, words, &keeper)
        })?;
        keeper.clear();
        Ok(())
    });
    mark.clear()?;
    carried.map(drop)
}

/// The same for a builder with a one-time key, which may send the paths of its list and nothing
/// else: `a-builder-s-key-brings-its-paths-and-opens-nothing-else` proves it.
pub fn receive_from_builder(word: &str) -> Result<()> {
    note(&format!("asked to carry what a builder sends as push {word}"));
    let delivery = builder::begin(word)?;
    let mark = PushMark::set(|text| eprintln!("{text}"))?;
    let daemon = nix::daemon(Some(delivery.word()))?;
    let word = delivery.word().to_owned();
    let listed = delivery.listed.clone();
    let carried = carry(daemon, move |stdin, outbox| {
        let client = BufReader::with_capacity(words::PIECE, io::stdin().lock());
        let is_wanted = || Delivery::is_wanted(&word);
        client::carry(client, stdin, outbox, |number, words| {
            listed::carry(number, words, &listed, &is_wanted)
        })
    });
    mark.clear()?;
    if carried? == Client::Ended { delivery.tell_stored() } else { Ok(()) }
}

fn note(what: &str) {
    if let Err(error) = journal::tell(&format!("{what}, from {}", Origin::here())) {
        eprintln!("deploy-agent: the journal did not take a note of this request: {error:#}");
    }
}

/// How the client's side ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    /// It had no more to say.
    Ended,
    /// It said what is not allowed, or nothing that is known.
    Broke,
}

/// How long the client's side may take to end after the daemon has.
const ENDS: Duration = Duration::from_secs(2);

/// Starts `client` with the daemon's stdin and the outbox, and forwards what the daemon answers.
fn carry(
    daemon: nix::Daemon,
    client: impl FnOnce(&mut BufWriter<ChildStdin>, Outbox) -> io::Result<()> + Send + 'static,
) -> Result<Client> {
    let nix::Daemon { mut child, mut stdin, mut stdout } = daemon;
    let mut out = Outbox::new(io::stdout());
    let outbox = out.clone();
    let (ended, end) = mpsc::channel();
    // The thread ends with this process. The client may be silent for any time.
    thread::spawn(move || {
        let carried = client(&mut stdin, outbox);
        // Before the daemon's input ends: its end ends this process.
        if let Err(error) = &carried {
            eprintln!("deploy-agent: {error}");
        }
        let _ = ended.send(carried.map_or(Client::Broke, |()| Client::Ended));
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
    answered?;
    Ok(end.recv_timeout(ENDS).unwrap_or(Client::Broke))
}

/// The client's messages, whatever way they came. The daemon says nothing before it has read
/// something, so the client has its answer first.
fn protocol<'a>(
    client: impl BufRead + 'a,
    outbox: &Outbox,
    keeper: &Arc<Keeper>,
) -> io::Result<Box<dyn Read + 'a>> {
    let Plain { mut stream, asks_for_delta } = compressed::plain(client)?;
    if !asks_for_delta {
        return Ok(stream);
    }
    outbox.announce()?;
    let mut greeting = [0; GREETING];
    stream.read_exact(&mut greeting)?;
    let rest =
        Decoder::new(BufReader::with_capacity(words::PIECE, stream), Delta::new(outbox, keeper));
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
