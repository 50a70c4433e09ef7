//! The meaning of what the command to become root prints, or the shell that does not find that
//! command.

/// Why becoming root failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootRefusal {
    /// The password is wrong.
    WrongPassword,
    /// The command does not exist.
    NoSuchCommand,
    /// Something else.
    Other,
}

impl RootRefusal {
    /// The meaning of `said`.
    pub fn of(said: &str) -> Self {
        if said.contains("incorrect password") {
            Self::WrongPassword
        } else if said.ends_with("not found") {
            Self::NoSuchCommand
        } else {
            Self::Other
        }
    }
}

/// Whether the output is from sudo-rs. It may be installed as `sudo`, but prints its own name.
pub(super) fn is_of_sudo_rs(said: &str) -> bool {
    said.starts_with("sudo-rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_password_and_a_command_that_is_not_there_are_told_from_all_else() {
        for (said, meant) in [
            ("sudo: 1 incorrect password attempt", RootRefusal::WrongPassword),
            ("sh: line 1: sudo: command not found", RootRefusal::NoSuchCommand),
            ("sh: 1: sudo: not found", RootRefusal::NoSuchCommand),
            ("sudo: a password is required", RootRefusal::Other),
            ("", RootRefusal::Other),
        ] {
            assert_eq!(RootRefusal::of(said), meant, "{said}");
        }
    }
}
