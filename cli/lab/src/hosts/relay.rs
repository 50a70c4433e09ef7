//! A simulated long-distance network to a host: a TCP relay on its own address. It delays each
//! direction, limits the rate, counts connections, and can drop one direction.
//!
//! The relay answers the TCP handshake itself, so each new connection is one round trip faster than
//! over a real link. It buffers only what would be in flight on such a network, so that progress
//! and memory are those of the sender. The kernel does not need netem, and nothing of the relay
//! runs on the host.

mod road;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::hosts::host::Host;
use crate::hosts::network;

/// The delay and bandwidth of the network.
#[derive(Clone, Copy, Debug)]
pub struct RoadSpec {
    /// The delay of each direction, which is half a round trip.
    pub one_way: Duration,
    /// The bandwidth of each direction and connection; `None` for no limit.
    pub mbit_per_second: Option<u32>,
}

/// A direction through the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the operator to the host.
    ToHost,
    /// From the host back.
    FromHost,
}

/// What the relay does with incoming data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// The relay forwards it.
    Passes,
    /// The relay and the sender keep it until the direction is open again.
    Held,
    /// The relay drops it.
    Swallowed,
}

/// A running relay. Dropping it cuts its connections.
pub struct Relay {
    shared: Arc<Shared>,
    _runtime: Runtime,
}

#[derive(Debug)]
struct Shared {
    spec: RoadSpec,
    connections: AtomicU64,
    bytes: [AtomicU64; 2],
    traffic: [watch::Sender<Traffic>; 2],
    /// At how many bytes of a direction all connections are cut, once.
    cut_at: [AtomicU64; 2],
    cuts: watch::Sender<u64>,
}

impl Relay {
    /// Starts a relay to port 22 of `host`. It listens on port 22 of [`Host::far`], which has the
    /// name `NAME-far` on every host.
    ///
    /// # Errors
    /// When there is one already.
    pub fn start(host: &Host, spec: RoadSpec) -> Result<Self> {
        network::add_address(host.far())?;
        let target = SocketAddr::from((host.address(), 22));
        let shared = Arc::new(Shared {
            spec,
            connections: AtomicU64::new(0),
            bytes: [AtomicU64::new(0), AtomicU64::new(0)],
            traffic: [watch::Sender::new(Traffic::Passes), watch::Sender::new(Traffic::Passes)],
            cut_at: [AtomicU64::new(u64::MAX), AtomicU64::new(u64::MAX)],
            cuts: watch::Sender::new(0),
        });
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((host.far(), 22)))?;
        runtime.spawn(accept(listener, target, shared.clone()));
        Ok(Self { shared, _runtime: runtime })
    }

    /// The number of opened connections so far, which is the number of login attempts for SSH.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// The number of bytes that entered `direction`.
    pub fn bytes(&self, direction: Direction) -> u64 {
        self.shared.bytes[direction as usize].load(Ordering::Relaxed)
    }

    /// Sets what happens to one direction of all connections, existing and new.
    pub fn set(&self, direction: Direction, traffic: Traffic) {
        self.shared.traffic[direction as usize].send_replace(traffic);
    }

    /// Cuts all connections once, when so many more bytes have entered `direction`. The last of them
    /// does not arrive. Later connections are whole.
    pub fn cut_after(&self, direction: Direction, bytes: u64) {
        let at = self.bytes(direction) + bytes;
        self.shared.cut_at[direction as usize].store(at, Ordering::Relaxed);
    }

    /// Cuts all connections now.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// How often the connections were cut.
    pub fn cuts(&self) -> u64 {
        *self.shared.cuts.borrow()
    }
}

impl Shared {
    /// Counts bytes that entered a direction. Says whether the connections are cut there.
    fn entered(&self, direction: Direction, bytes: u64) -> bool {
        let so_far = self.bytes[direction as usize].fetch_add(bytes, Ordering::Relaxed) + bytes;
        let cut_at = &self.cut_at[direction as usize];
        let is_cut = so_far >= cut_at.load(Ordering::Relaxed);
        if is_cut {
            cut_at.store(u64::MAX, Ordering::Relaxed);
            self.cuts.send_modify(|cuts| *cuts += 1);
        }
        is_cut
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, shared: Arc<Shared>) {
    while let Ok((near, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::Relaxed);
        let shared = shared.clone();
        tokio::spawn(async move {
            // If the host is not reachable, the connection is closed at once.
            let Ok(far) = TcpStream::connect(target).await else { return };
            let _ = near.set_nodelay(true);
            let _ = far.set_nodelay(true);
            let (near_in, near_out) = near.into_split();
            let (far_in, far_out) = far.into_split();
            let mut cuts = shared.cuts.subscribe();
            let both = async {
                tokio::join!(
                    road::carry(near_in, far_out, Direction::ToHost, &shared),
                    road::carry(far_in, near_out, Direction::FromHost, &shared),
                )
            };
            // What is cut is dropped, and both ends see it at once.
            tokio::select! {
                _ = both => {}
                _ = cuts.changed() => {}
            }
        });
    }
}
