//! Lines that stay, and a status line below them.

use std::time::{Duration, SystemTime};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{
    line::{Colours, Line},
    out::{Out, Text},
    terminal::Terminal,
};
use crate::tools::printable::Printable;

/// The current work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moving {
    /// The text of the status line.
    pub text: String,
    /// The deadline on the wall clock. The other clocks stop while this computer sleeps, but the
    /// machine's does not. If the wall clock is set meanwhile, the seconds are wrong until the
    /// machine reports them again.
    pub until: Option<SystemTime>,
}

/// Draws on a terminal. Lines wait while somebody types a secret there.
pub struct Screen {
    out: Out,
    terminal: Box<dyn Terminal>,
    colours: Colours,
    moving: Option<Moving>,
    drawn: bool,
    waiting: Vec<Line>,
    frame: usize,
}

/// Every terminal and every font has these characters.
const SPINNER: [char; 4] = ['|', '/', '-', '\\'];
const CUT: &str = "...";
/// Moves to the first column and clears the line.
const WIPE: &str = "\r\x1b[K";

impl Screen {
    /// An empty screen.
    pub fn new(out: Out, terminal: Box<dyn Terminal>, colours: Colours) -> Self {
        let (moving, drawn, waiting, frame) = (None, false, Vec::new(), 0);
        Self { out, terminal, colours, moving, drawn, waiting, frame }
    }

    /// Prints lines that stay.
    pub fn lines(&mut self, lines: impl IntoIterator<Item = Line>, now: SystemTime) {
        self.waiting.extend(lines);
        self.draw(now);
    }

    /// Sets the status line; `None` removes it.
    pub fn moves(&mut self, moving: Option<Moving>, now: SystemTime) {
        self.moving = moving;
        self.draw(now);
    }

    /// Turns the spinner and updates the seconds.
    pub fn tick(&mut self, now: SystemTime) {
        self.frame = (self.frame + 1) % SPINNER.len();
        self.draw(now);
    }

    /// Prints all waiting lines, even while a secret is typed, and removes the status line.
    pub fn end(&mut self) {
        self.moving = None;
        self.write(SystemTime::now());
    }

    fn draw(&mut self, now: SystemTime) {
        if !self.terminal.asks() {
            self.write(now);
        }
    }

    fn write(&mut self, now: SystemTime) {
        let mut text = Text::default();
        if self.drawn {
            text.push_own(WIPE);
        }
        for line in self.waiting.drain(..) {
            line.paint(self.colours, &mut text);
            text.push_own("\n");
        }
        self.drawn = self.moving.is_some();
        if let Some(moving) = &self.moving {
            let fitted = fitted(moving, SPINNER[self.frame], self.terminal.columns(), now);
            text.push(&Printable::line(&fitted));
            // A question of `ssh` begins at the cursor.
            text.push_own("\r");
        }
        if !text.is_empty() {
            self.out.write(&text);
        }
    }
}

/// The status line, cut to fit. A terminal that wraps the line would keep its first half. The text
/// is cut, the seconds are not.
fn fitted(moving: &Moving, spinner: char, columns: usize, now: SystemTime) -> String {
    let left = moving.until.map(|until| format!(" ({} s left)", seconds(until, now)));
    let left = left.unwrap_or_default();
    // The last column stays empty, because a character there may wrap the line.
    let room = columns.saturating_sub(1);
    let Some(room) = room.checked_sub(2 + left.width()).filter(|room| *room > CUT.len()) else {
        return left.trim_start().chars().take(room).collect();
    };
    format!("{spinner} {}{left}", cut(&moving.text, room))
}

fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut left = columns - CUT.len();
    let fits = |c: &char| {
        let width = c.width().unwrap_or(0);
        let fits = width <= left;
        left = left.saturating_sub(width);
        fits
    };
    let mut out: String = text.chars().take_while(fits).collect();
    out.push_str(CUT);
    out
}

/// The seconds that are left, rounded up, so that 0 is the deadline itself.
fn seconds(until: SystemTime, now: SystemTime) -> u128 {
    let left = until.duration_since(now).unwrap_or_default();
    left.as_millis().div_ceil(Duration::from_secs(1).as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, left: Option<u64>, columns: usize) -> String {
        let now = SystemTime::now();
        let until = left.map(|milliseconds| now + Duration::from_millis(milliseconds));
        fitted(&Moving { text: text.into(), until }, '|', columns, now)
    }

    #[test]
    fn seconds_are_right_to_the_second() {
        for (milliseconds, text) in [
            (8000, "| wait (8 s left)"),
            (7999, "| wait (8 s left)"),
            (7000, "| wait (7 s left)"),
            (1, "| wait (1 s left)"),
            (0, "| wait (0 s left)"),
        ] {
            assert_eq!(shown("wait", Some(milliseconds), 80), text);
        }
    }

    #[test]
    fn any_width_takes_one_line_and_keeps_the_seconds() {
        let text = "frame1: waiting for a new login to confirm";
        assert_eq!(shown(text, Some(8000), 40), "| frame1: waiting for a n... (8 s left)");
        assert_eq!(shown(text, Some(8000), 14), "(8 s left)");
        assert_eq!(shown(text, None, 12), "| frame1...");
        for columns in 0..60 {
            for left in [None, Some(123_456)] {
                assert!(shown("模块 é frame1: pushing", left, columns).width() <= columns);
            }
        }
    }
}
