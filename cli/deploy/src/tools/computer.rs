//! What this computer has: processors, and memory that is free.

use super::process::Invocation;

/// The processors that this process may use.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The memory that programs may take without anything being written out for them, in bytes. Where
/// there is no `/proc`, as on macOS, it is half of all memory, because nothing says what the system
/// would give back. `None` if the system does not say.
pub async fn free_memory() -> Option<u64> {
    if let Ok(text) = std::fs::read_to_string("/proc/meminfo") {
        return available(&text);
    }
    let asked = Invocation::new("sysctl").args(["-n", "hw.memsize"]);
    let said = String::from_utf8(asked.output().await.ok()?).ok()?;
    Some(said.trim().parse::<u64>().ok()? / 2)
}

/// What Linux's meminfo says is available.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn linux_says_what_is_free() {
        let text = "MemTotal:       24576000 kB\nMemFree:  1 kB\nMemAvailable:   20480000 kB\n";
        assert_eq!(super::available(text), Some(20_480_000 << 10));
        assert_eq!(super::available("MemTotal: 1 kB\n"), None);
    }
}
