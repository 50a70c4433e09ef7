//! How many processes of Nix evaluate a fleet at once.

use std::time::Duration;

use serde_json::{Value, json};

use crate::tools::{cache::Cache, computer};

/// The folder of what evaluations took, below the cache folder.
const FOLDER: &str = "evaluation-times";

/// Below this, one process is faster: each of several reads the flake and its inputs again.
/// docs/performance.md has the figures.
const WORTH_IT: Duration = Duration::from_secs(4);

/// The memory that a process may take, in bytes: that of a few NixOS machines.
const EACH: u64 = 2 << 30;

/// What is known of a fleet's evaluation before it begins.
pub struct Workers {
    key: String,
}

impl Workers {
    /// For a fleet that `key` names.
    pub fn of(key: &Value) -> Self {
        Self { key: key.to_string() }
    }

    /// How many processes to start: one, unless the last evaluation took long. They share the
    /// processors and the memory that is free.
    pub async fn count(&self) -> usize {
        let last = Cache::named(FOLDER).get(&self.key).and_then(|took| took.as_u64());
        let last = Duration::from_millis(last.unwrap_or_default());
        count(last, computer::processors(), computer::free_memory().await)
    }

    /// Keeps what the evaluation took, in all processes together.
    pub fn keep(&self, workers: usize, took: Duration) {
        let took = took.saturating_mul(u32::try_from(workers).unwrap_or(u32::MAX));
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Cache::named(FOLDER).put(&self.key, &json!(took));
    }
}

fn count(last: Duration, processors: usize, free: Option<u64>) -> usize {
    if last < WORTH_IT {
        return 1;
    }
    let fit = free.and_then(|free| usize::try_from(free / EACH).ok()).unwrap_or(1);
    processors.min(fit).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_workers_as_processors_and_as_fit_into_memory() {
        let long = Duration::from_secs(60);
        assert_eq!(count(long, 8, Some(64 << 30)), 8);
        assert_eq!(count(long, 8, Some(7 << 30)), 3, "the memory");
        assert_eq!(count(long, 8, Some(1 << 30)), 1);
        assert_eq!(count(long, 8, None), 1, "nobody knows how much is free");
        assert_eq!(count(Duration::from_secs(1), 8, Some(64 << 30)), 1, "a small flake");
    }
}
