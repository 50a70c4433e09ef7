//! Where the report is written to.

use std::io::Write;

use crate::tools::printable::Printable;

/// What is written: text that went through [`Printable`], and what this program draws with.
/// There is no way to make one of any other string.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// With text behind it.
    pub fn push(&mut self, text: &Printable) {
        self.0.push_str(text.as_str());
    }

    /// With words or a movement of the cursor behind it that are part of this program.
    pub fn push_own(&mut self, own: &'static str) {
        self.0.push_str(own);
    }

    /// With text behind it, of which the first `word` stands between two of its own.
    pub fn push_around(&mut self, text: &Printable, word: &'static str, own: [&'static str; 2]) {
        let [before, after] = own;
        self.0.push_str(&text.as_str().replacen(word, &format!("{before}{word}{after}"), 1));
    }

    /// A line of text.
    pub fn line(text: &Printable) -> Self {
        Self(format!("{text}\n"))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Standard output, or what stands for it in a test. A reader that goes away
/// (`deploy frame1 | head -1`) ends the report and nothing else: a deploy that died of it
/// would leave the machine to its deadlines.
/// `a-reader-that-goes-away-does-not-stop-the-deploy` proves it.
pub struct Out {
    to: Option<Box<dyn Write + Send>>,
}

impl Out {
    /// To standard output.
    pub fn stdout() -> Self {
        Self::to(std::io::stdout())
    }

    /// To anything.
    pub fn to(to: impl Write + Send + 'static) -> Self {
        Self { to: Some(Box::new(to)) }
    }

    /// Writes `text` at once, unless nobody reads any more.
    pub fn write(&mut self, text: &Text) {
        let Some(to) = &mut self.to else { return };
        if to.write_all(text.0.as_bytes()).and_then(|()| to.flush()).is_err() {
            self.to = None;
        }
    }
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
