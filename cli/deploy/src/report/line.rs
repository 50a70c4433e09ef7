//! A line for people, and the little colour that a terminal gives it.

/// A line without its end, and without anything that would move a terminal's cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    text: String,
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
        Self { text: cleaned(text.as_ref()), accent: None }
    }

    /// With the first `word` in it coloured.
    pub fn with(text: impl AsRef<str>, tone: Tone, word: &'static str) -> Self {
        Self { accent: Some((tone, word)), ..Self::plain(text) }
    }

    /// The text alone.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// As a terminal gets it.
    pub fn painted(&self, colours: Colours) -> String {
        let Some((tone, word)) = self.accent.filter(|_| colours == Colours::Shown) else {
            return self.text.clone();
        };
        let code = match tone {
            Tone::Error => 31,
            Tone::Warning => 33,
            Tone::Good => 32,
        };
        self.text.replacen(word, &format!("\x1b[{code}m{word}\x1b[0m"), 1)
    }
}

/// `text` in one line, without escape sequences and control characters.
fn cleaned(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\x1b' => skip_escape(&mut rest),
            '\t' => out.push_str("    "),
            '\n' => out.push(' '),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Behind an escape: `[…letter` (CSI), `]…BEL` (OSC), or one character.
fn skip_escape(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match rest.next() {
        Some('[') => while rest.next().is_some_and(|c| !('\x40'..='\x7e').contains(&c)) {},
        Some(']') => {
            while let Some(c) = rest.next() {
                if c == '\x07' || (c == '\x1b' && rest.next_if_eq(&'\\').is_some()) {
                    break;
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_move_the_cursor_is_taken_out() {
        let said = "\x1b[2J\x1b[31;1mred\x1b[0m\x1b]0;title\x07 and\r\x1b]8;;x\x1b\\so\u{9b}";
        assert_eq!(Line::plain(said).text(), "red andso");
        assert_eq!(Line::plain("a\tb\nc\x1b").text(), "a    b c");
    }

    #[test]
    fn one_word_has_a_colour() {
        let line = Line::with("error: error", Tone::Error, "error:");
        assert_eq!(line.painted(Colours::Off), "error: error");
        assert_eq!(line.painted(Colours::Shown), "\x1b[31merror:\x1b[0m error");
    }
}
