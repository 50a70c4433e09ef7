//! Text of a program that prints colours.

/// `text` without terminal colours.
pub fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}
