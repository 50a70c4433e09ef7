//! Text of a program that colours what it prints.

/// `text` without terminal colours.
pub fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}
