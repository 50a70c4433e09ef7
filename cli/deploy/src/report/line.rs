//! A line for people, and the little colour that a terminal gives it.

use super::out::Text;
use crate::tools::printable::Printable;

/// A line without its end, and without anything that would move a terminal's cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    text: Printable,
    accent: Option<(Tone, &'static str)>,
}

/// What a coloured word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It failed.
    Error,
    /// Something is to be mended.
    Warning,
    /// It is as it was asked for.
    Good,
}

/// Whether colours are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// They are.
    Shown,
    /// They are not.
    Off,
}

impl Colours {
    /// What the user wants of a terminal: none with `NO_COLOR` that is not empty or with
    /// `CLICOLOR=0`.
    pub fn wanted() -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let cli_color = std::env::var_os("CLICOLOR").is_none_or(|value| value != "0");
        if cli_color && !no_color { Self::Shown } else { Self::Off }
    }
}

impl Line {
    /// Without colour. Machines, units and builds give texts: whatever in them would move
    /// the cursor or colour what follows is taken out.
    pub fn plain(text: impl AsRef<str>) -> Self {
        Self { text: Printable::line(text.as_ref()), accent: None }
    }

    /// With the first `word` in it coloured.
    pub fn with(text: impl AsRef<str>, tone: Tone, word: &'static str) -> Self {
        Self { accent: Some((tone, word)), ..Self::plain(text) }
    }

    /// The text alone.
    pub fn text(&self) -> &Printable {
        &self.text
    }

    /// Writes it as a terminal gets it, without its end.
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
