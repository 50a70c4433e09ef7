//! One direction of one connection.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep_until};

use super::{Direction, RoadSpec, Shared, Traffic};

/// The largest block to read at once, in bytes.
const PIECE: usize = 16 << 10;

/// Bytes in flight and their arrival time. Empty bytes mean that the sender has closed.
struct Piece {
    arrives: Instant,
    bytes: Vec<u8>,
}

/// Forwards data until the sender closes or either end breaks.
pub(super) async fn carry(
    mut from: OwnedReadHalf,
    to: OwnedWriteHalf,
    direction: Direction,
    shared: &Shared,
) {
    let room = Arc::new(Semaphore::new(in_flight(shared.spec)));
    let (send, receive) = mpsc::unbounded_channel();
    let deliver = deliver(to, receive, room.clone(), shared.spec);
    let collect = async {
        let mut traffic = shared.traffic[direction as usize].subscribe();
        let mut buffer = vec![0; PIECE];
        loop {
            let count = from.read(&mut buffer).await.unwrap_or(0);
            if shared.entered(direction, count as u64) {
                break;
            }
            // The sender of `traffic` lives as long as the relay.
            let Ok(now) =
                traffic.wait_for(|traffic| *traffic != Traffic::Held).await.map(|now| *now)
            else {
                break;
            };
            if count > 0 {
                if now == Traffic::Swallowed {
                    continue;
                }
                let Ok(taken) = room.acquire_many(count as u32).await else { break };
                taken.forget();
            } else if now == Traffic::Swallowed {
                std::future::pending::<()>().await;
            }
            let piece = Piece {
                arrives: Instant::now() + shared.spec.one_way,
                bytes: buffer[..count].into(),
            };
            if send.send(piece).is_err() || count == 0 {
                break;
            }
        }
        drop(send);
    };
    tokio::join!(collect, deliver);
}

async fn deliver(
    mut to: OwnedWriteHalf,
    mut pieces: mpsc::UnboundedReceiver<Piece>,
    room: Arc<Semaphore>,
    spec: RoadSpec,
) {
    let mut free = Instant::now();
    while let Some(Piece { arrives, bytes }) = pieces.recv().await {
        free = free.max(arrives) + transmission(spec, bytes.len());
        sleep_until(free).await;
        if bytes.is_empty() || to.write_all(&bytes).await.is_err() {
            break;
        }
        room.add_permits(bytes.len());
    }
    // Wakes a sender that waits for buffer space; its bytes have no receiver.
    room.close();
    let _ = to.shutdown().await;
}

/// How long sending `bytes` takes.
fn transmission(spec: RoadSpec, bytes: usize) -> Duration {
    spec.mbit_per_second.map_or(Duration::ZERO, |rate| {
        Duration::from_secs_f64(bytes as f64 * 8.0 / (f64::from(rate) * 1e6))
    })
}

/// The limit of bytes in flight: twice rate times delay, or 4 MiB without a rate.
fn in_flight(spec: RoadSpec) -> usize {
    let Some(rate) = spec.mbit_per_second else { return 4 << 20 };
    let bytes = f64::from(rate) * 1e6 / 8.0 * spec.one_way.as_secs_f64() * 2.0;
    (bytes as usize).max(256 << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_megabit_takes_its_second() {
        let spec = RoadSpec { one_way: Duration::from_millis(50), mbit_per_second: Some(1) };
        assert_eq!(transmission(spec, 125_000), Duration::from_secs(1));
        assert_eq!(in_flight(spec), 256 << 10);
        let spec = RoadSpec { mbit_per_second: None, ..spec };
        assert_eq!(transmission(spec, 125_000), Duration::ZERO);
    }
}
