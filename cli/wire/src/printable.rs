//! The one door through which text reaches a terminal or a script.
//!
//! Machines, flakes and builds give texts. Escape sequences in them could rewrite what was
//! said before, C1 controls are escape sequences in one character, and bidirectional overrides
//! show the letters of a line in another order than it has.

use std::{fmt, iter::Peekable, str::Chars};

use serde_json::Value;

/// Text that moves no cursor, changes no colour and is read in the order that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printable(String);

impl Printable {
    /// `text` in one line. Escape sequences and control characters are taken out; what changes
    /// the order of letters, or is not seen, is shown by its number.
    pub fn line(text: &str) -> Self {
        let mut out = String::with_capacity(text.len());
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '\x1b' => skip_escape(&mut rest),
                '\t' => out.push_str("    "),
                '\n' | '\u{2028}' | '\u{2029}' => out.push(' '),
                c if c.is_control() => {}
                c if is_misleading(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
                c => out.push(c),
            }
        }
        Self(out)
    }

    /// A JSON document in one line. It means the same: in strings, what a terminal would act
    /// upon is escaped.
    pub fn document(value: &Value) -> Self {
        let mut out = String::new();
        for c in value.to_string().chars() {
            // JSON itself has none of these but in strings.
            if c.is_control() || is_misleading(c) || matches!(c, '\u{2028}' | '\u{2029}') {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            } else {
                out.push(c);
            }
        }
        Self(out)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Marks and overrides of direction, joiners and spaces of no width, and tags.
fn is_misleading(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{180e}' | '\u{feff}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Behind an escape: `[…letter` (CSI), `]…BEL` (OSC), or one character.
fn skip_escape(rest: &mut Peekable<Chars<'_>>) {
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
        assert_eq!(Printable::line(said).as_str(), "red andso");
        assert_eq!(Printable::line("a\tb\nc\x1b").as_str(), "a    b c");
    }

    #[test]
    fn what_changes_the_order_of_letters_is_shown_by_its_number() {
        assert_eq!(Printable::line("a\u{202e}b\u{2066}").as_str(), "a\\u{202e}b\\u{2066}");
        assert_eq!(Printable::line("é 模块\u{200b}").as_str(), "é 模块\\u{200b}");
    }

    #[test]
    fn a_document_means_the_same_and_a_terminal_acts_upon_none_of_it() {
        let text: String = (0..0x11_0000).filter_map(char::from_u32).collect();
        let value = Value::String(text);
        let shown = Printable::document(&value);
        assert_eq!(serde_json::from_str::<Value>(shown.as_str()).unwrap(), value);
        let acts = |c: char| c.is_control() || is_misleading(c);
        assert_eq!(shown.as_str().chars().find(|c| acts(*c)), None);
    }
}
