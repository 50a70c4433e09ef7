//! The mark on a machine while something is pushed to it, as a program that keeps it.
//!
//! Nix registers a path as valid and leaves it to the kernel when its files are on the disk.
//! After a power cut the database can name paths that are empty, and the next push sends none of
//! them: `a-power-cut-during-the-push-leaves-nothing-that-the-next-deploy-trusts-wrongly` proves
//! it. So the machine is marked while something is pushed; whoever finds a mark of another boot
//! reads what became valid since, and deletes what is damaged.
//!
//! `deploy` runs the program over its login where it may become root, and the agent where
//! Nix's protocol goes through the agent.

/// What keeps a mark, for sh as root. It takes the mark away, once the store is synced, when its
/// stdin ends: only a restart of the machine leaves it.
pub const SCRIPT: &str = include_str!("mark.sh");

/// What the program says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// An earlier push left something damaged, which is deleted now: [`is_note`] is true of it.
    Damaged(String),
    /// The push may begin.
    Marked,
    /// What was pushed is on the disk, and the mark is gone.
    Synced,
}

const DAMAGED: &str = "damaged by a power cut in an earlier push, deleted now: ";

impl Said {
    /// Reads a line of its stdout. Others mean nothing.
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

/// Whether a line is what is told of damaged paths: the agent puts it among what Nix prints.
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
