//! A place between the machine's sshd and its agent, where a test reads each message of a push, and
//! changes it, holds it back, or cuts the connection within it.
//!
//! What runs on the machine is the unchanged agent. `deploy` brings a script in its place, which
//! starts the agent, and carries `serve --stdio` through the test.

use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use deploy_delta::{ANNOUNCED, ASKED, GREETING, answer::Answer, token::Token};
use deploy_lab::hosts::relay::Relay;
use deploy_lab::hosts::{LAB_ADDRESS, programs};

use crate::scene::Scene;

/// Where the operator's computer has the script. It is given to `--agent`.
pub const SCRIPT: &str = "/root/agent-between";

/// Long enough for a message to arrive before its connection is cut.
const ARRIVES: Duration = Duration::from_millis(300);

/// A message of a push.
#[derive(Debug)]
pub enum Message {
    /// The request for the delta.
    Asked,
    /// The agent's answer to that.
    Announced,
    /// To the agent.
    Token(Token),
    /// From the agent.
    Answer(Answer),
}

/// What becomes of a message.
#[derive(Debug)]
pub enum Act {
    /// It goes on.
    Pass,
    /// This goes on instead.
    Instead(Vec<u8>),
    /// Half of it goes on, and the connection is cut.
    Cut,
}

type Watch = Box<dyn FnMut(&Message) -> Act + Send>;

/// What stands between. Dropping it ends its connections.
pub struct Between {
    shared: Arc<Shared>,
    ports: [u16; 4],
}

struct Shared {
    relay: Relay,
    watch: Mutex<Watch>,
    open: Mutex<Vec<TcpStream>>,
    over: AtomicBool,
}

impl Between {
    /// Puts the script where `deploy --agent` finds it. The login goes through `relay`.
    pub fn new(scene: &Scene, relay: Relay) -> Result<Self> {
        let agent = scene.frame1.root().join("root/deploy-agent");
        programs::copy_agent(&agent)?;
        let store = "agent=$(nix-store --add /root/deploy-agent); echo $agent; \
                     ln -s $agent /nix/var/nix/gcroots/agent-between";
        let agent = scene.frame1.sh(store)?;
        let listeners = [listener()?, listener()?, listener()?, listener()?];
        let mut ports = [0; 4];
        for (port, listener) in ports.iter_mut().zip(&listeners) {
            *port = listener.local_addr()?.port();
        }
        let [from_client, to_agent, from_agent, to_client] =
            ports.map(|port| format!("/dev/tcp/{LAB_ADDRESS}/{port}"));
        let script = format!(
            "#!/bin/bash\n\
             [ \"$*\" = 'serve --stdio' ] || exec {agent} \"$@\"\n\
             exec 3<&0 4>&1\n\
             cat <&3 4>&- > {from_client} &\n\
             cat 3<&- < {to_client} >&4 &\n\
             last=$!\n\
             {agent} serve --stdio 3<&- 4>&- < {to_agent} > {from_agent}\n\
             status=$?\n\
             wait $last\n\
             exit $status\n"
        );
        scene.mac.write(SCRIPT, script, 0o755)?;
        let shared = Arc::new(Shared {
            relay,
            watch: Mutex::new(Box::new(|_| Act::Pass)),
            open: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let with = Arc::clone(&shared);
        thread::spawn(move || with.serve(&listeners));
        Ok(Self { shared, ports })
    }

    /// Calls `watch` with each message from now on.
    pub fn set(&self, watch: impl FnMut(&Message) -> Act + Send + 'static) {
        *lock(&self.shared.watch) = Box::new(watch);
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        for stream in lock(&self.shared.open).iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        for port in self.ports {
            let _ = TcpStream::connect((LAB_ADDRESS, port));
        }
    }
}

impl Shared {
    /// Carries one conversation after the other.
    fn serve(self: &Arc<Self>, listeners: &[TcpListener; 4]) {
        while !self.over.load(Ordering::Relaxed) {
            let Ok(streams) = self.accept(listeners) else { return };
            let [from_client, to_agent, from_agent, to_client] = streams;
            let (knows, known) = mpsc::channel();
            let with = Arc::clone(self);
            thread::spawn(move || {
                let _ = with.up(from_client, &to_agent, &known);
                let _ = to_agent.shutdown(Shutdown::Both);
            });
            let with = Arc::clone(self);
            thread::spawn(move || {
                let _ = with.down(from_agent, &to_client, &knows);
                let _ = to_client.shutdown(Shutdown::Both);
            });
        }
    }

    fn accept(&self, listeners: &[TcpListener; 4]) -> Result<[TcpStream; 4]> {
        let mut streams = Vec::new();
        for listener in listeners {
            let (stream, _) = listener.accept()?;
            stream.set_nodelay(true)?;
            lock(&self.open).push(stream.try_clone()?);
            streams.push(stream);
        }
        streams.try_into().ok().context("four streams")
    }

    /// The client's messages. They are compressed anew, so that each ends where it is cut.
    fn up(&self, from: TcpStream, to: &TcpStream, known: &mpsc::Receiver<bool>) -> io::Result<()> {
        let mut from = BufReader::new(from);
        let mut begin = vec![0; 9];
        from.read_exact(&mut begin)?;
        let asks = begin == ASKED[..begin.len()];
        if asks {
            begin.resize(ASKED.len(), 0);
            from.read_exact(&mut begin[9..])?;
            self.carry(&Message::Asked, &begin, |bytes| (&mut &*to).write_all(bytes))?;
            begin.clear();
        }
        let mut from = zstd::stream::read::Decoder::with_buffer(Cursor::new(begin).chain(from))?;
        let mut to = zstd::stream::write::Encoder::new(to, 1)?;
        let mut greeting = [0; GREETING];
        from.read_exact(&mut greeting)?;
        to.write_all(&greeting)?;
        to.flush()?;
        if asks && known.recv().unwrap_or(false) {
            while let Some(token) = Token::read(&mut from)? {
                let mut bytes = Vec::new();
                token.write(&mut bytes);
                self.carry(&Message::Token(token), &bytes, |bytes| {
                    to.write_all(bytes)?;
                    to.flush()
                })?;
            }
        } else {
            let mut piece = vec![0; 64 << 10];
            loop {
                let length = from.read(&mut piece)?;
                if length == 0 {
                    break;
                }
                to.write_all(&piece[..length])?;
                to.flush()?;
            }
        }
        to.finish().map(drop)
    }

    /// The agent's messages.
    fn down(&self, from: TcpStream, to: &TcpStream, knows: &mpsc::Sender<bool>) -> io::Result<()> {
        let mut from = BufReader::new(from);
        let mut first = [0; ANNOUNCED.len()];
        from.read_exact(&mut first)?;
        let announced = first == ANNOUNCED;
        let _ = knows.send(announced);
        let mut send = |bytes: &[u8]| (&mut &*to).write_all(bytes);
        if !announced {
            send(&first)?;
            return io::copy(&mut from, &mut &*to).map(drop);
        }
        self.carry(&Message::Announced, &first, &mut send)?;
        while !from.fill_buf()?.is_empty() {
            let mut length = [0; 4];
            from.read_exact(&mut length)?;
            let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
            from.read_exact(&mut bytes)?;
            let answer = Answer::read(&bytes)?;
            self.carry(&Message::Answer(answer), &[&length[..], &bytes].concat(), &mut send)?;
        }
        Ok(())
    }

    /// Sends a message on, or what the test makes of it.
    fn carry(
        &self,
        message: &Message,
        bytes: &[u8],
        mut send: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let act = lock(&self.watch)(message);
        match act {
            Act::Pass => send(bytes),
            Act::Instead(bytes) => send(&bytes),
            Act::Cut => {
                let sent = send(&bytes[..bytes.len().div_ceil(2)]);
                thread::sleep(ARRIVES);
                self.relay.cut();
                sent.and(Err(io::ErrorKind::ConnectionReset.into()))
            }
        }
    }
}

fn listener() -> io::Result<TcpListener> {
    TcpListener::bind((LAB_ADDRESS, 0))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
