//! A line for people, with its colour.

use super::out::Text;
use crate::tools::printable::Printable;

/// A line of text, without a line end and without characters that move the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    text: Printable,
    accent: Option<(Tone, &'static str)>,
}

/// The meaning of a coloured word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something failed.
    Error,
    /// Something needs attention.
    Warning,
    /// It is as the operator wants it.
    Good,
}

/// Whether to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// Use colours.
    Shown,
    /// Use none.
    Off,
}

impl Colours {
    /// The user's choice. A non-empty `NO_COLOR` or `CLICOLOR=0` turns colours off.
    pub fn wanted() -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let cli_color = std::env::var_os("CLICOLOR").is_none_or(|value| value != "0");
        if cli_color && !no_color { Self::Shown } else { Self::Off }
    }
}

impl Line {
    /// A line without colour. The text may come from machines, units and builds, so control
    /// characters that move the cursor or set colours are removed.
    pub fn plain(text: impl AsRef<str>) -> Self {
        Self { text: Printable::line(text.as_ref()), accent: None }
    }

    /// A line in which the first `word` is coloured.
    pub fn with(text: impl AsRef<str>, tone: Tone, word: &'static str) -> Self {
        Self { accent: Some((tone, word)), ..Self::plain(text) }
    }

    /// The text without colours.
    pub fn text(&self) -> &Printable {
        &self.text
    }

    /// Writes the line as a terminal gets it, without the line end.
    pub fn paint(&self, colours: Colours, text: &mut Text) {
        let Some((tone, word)) = self.accent.filter(|_| colours == Colours::Shown) else {
            return text.push(&self.text);
        };
        let colour = match tone {
            Tone::Error => "\x1b[31m",
            Tone::Warning => "\x1b[33m",
            Tone::Good => "\x1b[32m",
        };
        text.push_around(&self.text, word, [colour, "\x1b[0m"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_has_a_colour() {
        let line = Line::with("error: error", Tone::Error, "error:");
        let painted = |colours| {
            let mut text = Text::default();
            line.paint(colours, &mut text);
            text
        };
        let mut plain = Text::default();
        plain.push(&Printable::line("error: error"));
        assert_eq!(painted(Colours::Off), plain);
        let mut coloured = Text::default();
        coloured.push_own("\x1b[31merror:\x1b[0m error");
        assert_eq!(painted(Colours::Shown), coloured);
    }
}
