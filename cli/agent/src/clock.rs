//! The boot clock, which neither a set wall clock nor a suspend moves back.

use std::time::Duration;

use deploy_wire::record::Deadline;
use rustix::time::{ClockId, clock_gettime};

/// How often something is looked at of whose change the kernel does not tell: a fiftieth of a
/// processor at most.
pub const TICK: Duration = Duration::from_millis(20);

fn now(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    // Both are never negative on the clocks asked for here.
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// `CLOCK_BOOTTIME`: time since the boot, suspended time counted.
pub fn boottime() -> Duration {
    now(ClockId::Boottime)
}

/// `CLOCK_MONOTONIC`, by which systemd's timers and timestamps go.
pub fn monotonic() -> Duration {
    now(ClockId::Monotonic)
}

/// Seconds since 1970, for people only.
pub fn wall() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// The moment that is `limit` from now.
pub fn deadline_in(limit: Duration) -> Deadline {
    let at = boottime() + limit;
    Deadline { boottime_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX) }
}

/// How long it is to a deadline; nothing once it has passed.
pub fn left(deadline: Deadline) -> Duration {
    Duration::from_millis(deadline.boottime_ms).saturating_sub(boottime())
}

/// The same in seconds, rounded up: a deadline that was just set is told in full.
pub fn seconds_left(deadline: Deadline) -> u64 {
    let left = left(deadline);
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}
