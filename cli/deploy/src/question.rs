//! Questions with yes or no, on the terminal.

use std::io::Write;

/// Asks; only `y` and `yes` mean yes.
pub fn yes(question: &str) -> bool {
    print!("{question} [y/N] ");
    let mut answer = String::new();
    std::io::stdout().flush().is_ok()
        && std::io::stdin().read_line(&mut answer).is_ok()
        && matches!(answer.trim(), "y" | "Y" | "yes")
}
