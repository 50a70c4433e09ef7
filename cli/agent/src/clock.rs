//! The boot clock. Neither a change of the wall clock nor a suspend sets it back.

use std::time::Duration;

use deploy_wire::record::Deadline;
use rustix::time::{ClockId, clock_gettime};

/// The interval to poll things for which the kernel reports no change. It costs at most a fiftieth
/// of a processor.
pub const TICK: Duration = Duration::from_millis(20);

fn now(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    // Neither value is negative on these clocks.
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// `CLOCK_BOOTTIME`: the time since the boot, including suspended time.
pub fn boottime() -> Duration {
    now(ClockId::Boottime)
}

/// `CLOCK_MONOTONIC`, the clock of systemd's timers and timestamps.
pub fn monotonic() -> Duration {
    now(ClockId::Monotonic)
}

/// Seconds since 1970. They are shown to people and decide nothing.
pub fn wall() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// The deadline after `limit` from now.
pub fn deadline_in(limit: Duration) -> Deadline {
    let at = boottime() + limit;
    Deadline { boottime_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX) }
}

/// The time until a deadline; zero after it.
pub fn left(deadline: Deadline) -> Duration {
    Duration::from_millis(deadline.boottime_ms).saturating_sub(boottime())
}

/// The seconds until a deadline, rounded up so that a new deadline is shown in full.
pub fn seconds_left(deadline: Deadline) -> u64 {
    let left = left(deadline);
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}
