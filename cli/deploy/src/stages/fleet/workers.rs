//! How many processes of Nix evaluate a fleet at once.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::tools::{cache::Cache, computer};

/// The folder of what evaluations took, below the cache folder.
const FOLDER: &str = "evaluation-times";

/// Below this, one process is faster: each of several reads the flake and its inputs again.
/// docs/performance.md has the figures.
const WORTH_IT: Duration = Duration::from_secs(4);

/// The memory that a process may take, in bytes: that of a few NixOS machines.
const EACH: u64 = 2 << 30;

/// From this for each machine on, it is evaluated alone: a process that evaluates several takes longer
/// for each, and holds the memory of all. Below, what machines share counts more, which each process
/// evaluates again. docs/performance.md has the figures.
const ALONE: Duration = Duration::from_secs(1);

/// What is known of a fleet's evaluation before it begins.
pub struct Workers {
    key: String,
}

/// How the evaluation of a fleet is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Division {
    /// How many processes evaluate at once.
    pub workers: usize,
    /// What each of them gets.
    pub by: Share,
}

/// What a process of Nix evaluates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// As many machines as the others.
    Equal,
    /// One machine after the other, each in its own process.
    One,
}

/// What the last evaluation took, in all processes together.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
struct Last {
    milliseconds: u64,
    machines: u64,
}

impl Workers {
    /// For a fleet that `key` names.
    pub fn of(key: &Value) -> Self {
        Self { key: key.to_string() }
    }

    /// One process evaluates all, unless the last evaluation took long. The processes share the
    /// processors and the memory that is free.
    pub async fn division(&self) -> Division {
        let last = Cache::named(FOLDER).get(&self.key);
        let last = last.and_then(|last| serde_json::from_value(last).ok()).unwrap_or_default();
        division(last, computer::processors(), computer::free_memory().await)
    }

    /// Keeps what the evaluation of so many machines took.
    pub fn keep(&self, division: Division, machines: usize, took: Duration) {
        let workers = u32::try_from(division.workers.min(machines)).unwrap_or(u32::MAX);
        let took = took.saturating_mul(workers).as_millis();
        let milliseconds = u64::try_from(took).unwrap_or(u64::MAX);
        let last = Last { milliseconds, machines: machines as u64 };
        Cache::named(FOLDER).put(&self.key, &json!(last));
    }
}

impl Division {
    /// One process for all.
    pub const NONE: Self = Self { workers: 1, by: Share::Equal };

    /// Divides the names. The last part is taken first.
    pub fn parts(self, names: &[String]) -> Vec<Vec<String>> {
        let count = match self.by {
            Share::Equal => self.workers.min(names.len()),
            Share::One => names.len(),
        };
        let mut parts: Vec<Vec<String>> = vec![Vec::new(); count];
        names.iter().enumerate().for_each(|(at, name)| parts[at % count].push(name.clone()));
        parts.reverse();
        parts
    }
}

fn division(last: Last, processors: usize, free: Option<u64>) -> Division {
    let took = Duration::from_millis(last.milliseconds);
    if took < WORTH_IT {
        return Division::NONE;
    }
    let each = took / u32::try_from(last.machines).unwrap_or(u32::MAX).max(1);
    let fit = free.and_then(|free| usize::try_from(free / EACH).ok()).unwrap_or(1);
    Division {
        workers: processors.min(fit).max(1),
        by: if each < ALONE { Share::Equal } else { Share::One },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_workers_as_processors_and_as_fit_into_memory() {
        let workers = |seconds: u64, free| {
            let last = Last { milliseconds: seconds * 1000, machines: 40 };
            division(last, 8, free).workers
        };
        assert_eq!(workers(60, Some(64 << 30)), 8);
        assert_eq!(workers(60, Some(7 << 30)), 3, "the memory");
        assert_eq!(workers(60, Some(1 << 30)), 1);
        assert_eq!(workers(60, None), 1, "nobody knows how much is free");
        assert_eq!(workers(1, Some(64 << 30)), 1, "a small flake");
    }

    #[test]
    fn machines_that_take_long_are_evaluated_alone_and_others_share_what_they_can() {
        let by = |seconds: u64, machines| {
            division(Last { milliseconds: seconds * 1000, machines }, 2, Some(64 << 30)).by
        };
        assert_eq!(by(95, 8), Share::One);
        assert_eq!(by(6, 8), Share::Equal);
        assert_eq!(by(9, 0), Share::One);
        let names: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).into();
        let parts = |workers, by| Division { workers, by }.parts(&names);
        assert_eq!(parts(2, Share::Equal), [vec!["b", "d"], vec!["a", "c", "e"]]);
        assert_eq!(parts(9, Share::Equal).len(), 5);
        assert_eq!(parts(2, Share::One), [["e"], ["d"], ["c"], ["b"], ["a"]]);
    }
}
