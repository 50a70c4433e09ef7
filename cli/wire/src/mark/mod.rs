//! The mark on a machine during a push, and the program that keeps it.
//!
//! Nix registers a path as valid before its files are on the disk. After a power cut the database
//! can therefore name paths that are empty, and the next push would skip them:
//! `a-power-cut-during-the-push-leaves-nothing-that-the-next-deploy-trusts-wrongly` proves it. So
//! the machine is marked during a push. The next push that finds a mark of another boot reads every
//! path that became valid since, and deletes the damaged ones.
//!
//! `deploy` runs the program over its login if the user may become root. The agent runs it if Nix's
//! protocol goes through the agent.

/// The program that keeps the mark; `sh` runs it as root. When its stdin ends, it syncs the store
/// and removes the mark, so only a restart of the machine leaves a mark behind.
pub const SCRIPT: &str = include_str!("mark.sh");

/// A line that the program prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The program deleted a path that an earlier push left damaged. [`is_note`] is true for the
    /// text.
    Damaged(String),
    /// The push may begin.
    Marked,
    /// The pushed paths are on the disk, and the mark is removed.
    Synced,
}

const DAMAGED: &str = "damaged by a power cut in an earlier push, deleted now: ";

impl Said {
    /// Parses a line of the program's stdout. Unknown lines yield `None`.
    pub fn read(line: &str) -> Option<Self> {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("@damaged", count) => {
                Some(Self::Damaged(format!("{DAMAGED}{} store paths", count.trim())))
            }
            ("@mark", _) => Some(Self::Marked),
            ("@synced", _) => Some(Self::Synced),
            _ => None,
        }
    }
}

/// Whether a line reports a damaged path. The agent prints such lines among Nix's output.
pub fn is_note(line: &str) -> bool {
    line.starts_with(DAMAGED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_says_is_read() {
        assert_eq!(Said::read("@mark"), Some(Said::Marked));
        assert_eq!(Said::read("@synced"), Some(Said::Synced));
        assert_eq!(Said::read("welcome"), None);
        let Some(Said::Damaged(text)) = Said::read("@damaged 3") else { panic!("not read") };
        assert!(text.ends_with("deleted now: 3 store paths") && is_note(&text), "{text}");
        assert!(!is_note("error: damaged"));
    }
}
