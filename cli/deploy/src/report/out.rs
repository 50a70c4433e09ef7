//! The output that the report writes to.

use std::io::Write;

use crate::tools::printable::Printable;

/// Text for the output. It can be made only of [`Printable`] text and of this program's own
/// literals, never of another string.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// Appends text.
    pub fn push(&mut self, text: &Printable) {
        self.0.push_str(text.as_str());
    }

    /// Appends a literal of this program: words or a control sequence.
    pub fn push_own(&mut self, own: &'static str) {
        self.0.push_str(own);
    }

    /// Appends text with the first `word` between two literals.
    pub fn push_around(&mut self, text: &Printable, word: &'static str, own: [&'static str; 2]) {
        let [before, after] = own;
        self.0.push_str(&text.as_str().replacen(word, &format!("{before}{word}{after}"), 1));
    }

    /// The text as a line.
    pub fn line(text: &Printable) -> Self {
        Self(format!("{text}\n"))
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Standard output, or a test's replacement. When the reader goes away (`deploy frame1 | head -1`),
/// only the report ends: a deploy that died of it would leave the machine to its deadlines.
/// `a-reader-that-goes-away-does-not-stop-the-deploy` proves it.
pub struct Out {
    to: Option<Box<dyn Write + Send>>,
}

impl Out {
    /// Writes to standard output.
    pub fn stdout() -> Self {
        Self::to(std::io::stdout())
    }

    /// Writes to `to`.
    pub fn to(to: impl Write + Send + 'static) -> Self {
        Self { to: Some(Box::new(to)) }
    }

    /// Writes and flushes `text`, unless the reader is gone.
    pub fn write(&mut self, text: &Text) {
        let Some(to) = &mut self.to else { return };
        if to.write_all(text.0.as_bytes()).and_then(|()| to.flush()).is_err() {
            self.to = None;
        }
    }
}

/// Writes a secret to standard output as it is, for another program to read. A reader that goes
/// away is no error.
pub fn secret_text(text: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_went_away_is_not_written_to_again() {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut out = Out::to(writer);
        out.write(&Text::line(&Printable::line("one")));
        drop(reader);
        out.write(&Text::line(&Printable::line("two")));
        assert!(out.to.is_none());
        out.write(&Text::line(&Printable::line("three")));
    }
}
