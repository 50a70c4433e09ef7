//! A long road to a host: a TCP relay on an address of its own that delays each way, caps
//! the rate, counts connections, and can swallow one direction.
//!
//! It answers the TCP handshake itself, so each new connection looks one round trip
//! faster than over a real link. It holds at most what is in flight on such a road, so
//! that progress and memory figures are the sender's own. This kernel need not have netem.
//! Nothing of it runs on the host.

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

/// How long and how wide the road is.
#[derive(Clone, Copy, Debug)]
pub struct RoadSpec {
    /// Added each way; half a round trip.
    pub one_way: Duration,
    /// Each way, for each connection; `None` for no limit.
    pub mbit_per_second: Option<u32>,
}

/// A way through the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the operator to the host.
    ToHost,
    /// From the host back.
    FromHost,
}

/// What happens to what comes in at one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// It passes.
    Passes,
    /// It waits in the relay and at the sender, until it passes again.
    Held,
    /// It is taken and never arrives.
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
}

impl Relay {
    /// Starts a relay to port 22 of `host`, at port 22 of [`Host::far`]: the name
    /// `NAME-far` on every host.
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
        });
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((host.far(), 22)))?;
        runtime.spawn(accept(listener, target, shared.clone()));
        Ok(Self { shared, _runtime: runtime })
    }

    /// How many connections were opened so far: for SSH, how many logins were tried.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// How many bytes came in at the end where `direction` begins.
    pub fn bytes(&self, direction: Direction) -> u64 {
        self.shared.bytes[direction as usize].load(Ordering::Relaxed)
    }

    /// Decides what happens to one direction of all connections, old and new.
    pub fn set(&self, direction: Direction, traffic: Traffic) {
        self.shared.traffic[direction as usize].send_replace(traffic);
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, shared: Arc<Shared>) {
    while let Ok((near, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::Relaxed);
        let shared = shared.clone();
        tokio::spawn(async move {
            // A host that is not there shows as a connection closed at once.
            let Ok(far) = TcpStream::connect(target).await else { return };
            let _ = near.set_nodelay(true);
            let _ = far.set_nodelay(true);
            let (near_in, near_out) = near.into_split();
            let (far_in, far_out) = far.into_split();
            tokio::join!(
                road::carry(near_in, far_out, Direction::ToHost, &shared),
                road::carry(far_in, near_out, Direction::FromHost, &shared),
            );
        });
    }
}
