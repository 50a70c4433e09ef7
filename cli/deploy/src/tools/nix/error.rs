//! The errors of Nix's commands.

/// Why a command of Nix failed.
#[derive(Debug, thiserror::Error)]
pub enum NixError {
    /// `nix` was not found.
    #[error("there is no `nix` on this computer; looked on PATH and in {0}")]
    Missing(String),
    /// Nix failed; the text is Nix's own error.
    #[error("{0}")]
    Failed(String),
    /// Nix printed something unexpected.
    #[error("unexpected output of {command}: {why}")]
    Unreadable {
        /// The command.
        command: &'static str,
        /// The reason.
        why: String,
    },
}
