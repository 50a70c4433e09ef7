//! Text that is safe to print to a terminal or to a script.
//!
//! Machines, flakes and builds supply texts. Escape sequences in them could overwrite earlier
//! output, C1 controls are escape sequences in a single character, and bidirectional overrides
//! display the letters of a line in another order. So all output passes through this type.

use std::{fmt, iter::Peekable, str::Chars};

use serde_json::Value;

/// Text that neither moves the cursor, nor changes a colour, nor is displayed in another order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printable(String);

impl Printable {
    /// Turns `text` into one line. It removes escape sequences and control characters. Characters
    /// that are invisible or change the display order are replaced by their number.
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

    /// Prints a JSON document in one line without changing its meaning: it escapes the characters
    /// in strings that a terminal would act upon.
    pub fn document(value: &Value) -> Self {
        let mut out = String::new();
        for c in value.to_string().chars() {
            // In JSON such characters occur only inside strings.
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

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Direction marks and overrides, joiners and spaces of zero width, and tags.
fn is_misleading(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{180e}' | '\u{feff}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Skips the rest of an escape sequence: `[…letter` (CSI), `]…BEL` (OSC), or one character.
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
