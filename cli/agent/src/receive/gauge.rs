//! Whether the line or this machine holds a push back.

use std::{
    io::{self, Read},
    time::{Duration, Instant},
};

use deploy_delta::answer::Answer;

use super::outbox::Outbox;

/// How many bytes one answer about the line is made of.
const SAMPLE: usize = 128 << 10;

/// Reads the client's bytes, and tells the client how long they were waited for. Only this end can
/// see that: where the machine is slow, the other end waits as it does for a slow line.
pub struct Gauge<R> {
    from: R,
    outbox: Outbox,
    bytes: usize,
    waited: Duration,
    since: Instant,
}

impl<R> Gauge<R> {
    pub fn new(from: R, outbox: &Outbox) -> Self {
        let (outbox, since) = (outbox.clone(), Instant::now());
        Self { from, outbox, bytes: 0, waited: Duration::ZERO, since }
    }
}

impl<R: Read> Read for Gauge<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let begun = Instant::now();
        let length = self.from.read(to)?;
        let now = Instant::now();
        self.waited += now - begun;
        self.bytes += length;
        if self.bytes >= SAMPLE {
            let whole = (now - self.since).as_secs_f64().max(1e-6);
            let share = (100.0 * self.waited.as_secs_f64() / whole).min(100.0) as u8;
            self.outbox.tell_share(&Answer::Waited(share))?;
            (self.bytes, self.waited, self.since) = (0, Duration::ZERO, now);
        }
        Ok(length)
    }
}
