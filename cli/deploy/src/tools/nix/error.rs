//! How work of Nix fails.

/// Why Nix's work is not usable.
#[derive(Debug, thiserror::Error)]
pub enum NixError {
    /// There is no `nix`.
    #[error("there is no `nix` on this computer; looked on PATH and in {0}")]
    Missing(String),
    /// Nix failed; the text is its own error.
    #[error("{0}")]
    Failed(String),
    /// Nix said something unexpected.
    #[error("unexpected output of {command}: {why}")]
    Unreadable {
        /// Which command.
        command: &'static str,
        /// Why.
        why: String,
    },
}
