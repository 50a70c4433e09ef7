//! Questions with yes or no, on the terminal.

use crate::tools::terminal::{self, Echo};

/// Asks; only `y` and `yes` mean yes.
pub async fn yes(question: &str) -> bool {
    let answer = terminal::ask(&format!("{question} [y/N]"), Echo::Shown).await;
    answer.is_ok_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes"))
}
