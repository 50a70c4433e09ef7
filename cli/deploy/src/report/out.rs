//! Where the report is written to.

use std::io::Write;

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
    pub fn write(&mut self, text: &str) {
        let Some(to) = &mut self.to else { return };
        if to.write_all(text.as_bytes()).and_then(|()| to.flush()).is_err() {
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
        out.write("one\n");
        drop(reader);
        out.write("two\n");
        assert!(out.to.is_none());
        out.write("three\n");
    }
}
