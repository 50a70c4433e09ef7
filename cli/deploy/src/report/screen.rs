//! Lines that stay, and one below them that moves.

use std::time::{Duration, SystemTime};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{
    line::{Colours, Line},
    out::{Out, Text},
    terminal::Terminal,
};
use crate::tools::printable::Printable;

/// What goes on now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moving {
    /// In words.
    pub text: String,
    /// When it must be over, on the wall clock: the others stand still while this computer
    /// sleeps, and the machine's does not. One that is set meanwhile shows wrong seconds until
    /// the machine tells them again.
    pub until: Option<SystemTime>,
}

/// Draws on a terminal. While somebody is asked for a secret there, lines wait.
pub struct Screen {
    out: Out,
    terminal: Box<dyn Terminal>,
    colours: Colours,
    moving: Option<Moving>,
    drawn: bool,
    waiting: Vec<Line>,
    frame: usize,
}

/// Every terminal and font has these.
const SPINNER: [char; 4] = ['|', '/', '-', '\\'];
const CUT: &str = "...";
/// To the first column, and nothing behind it.
const WIPE: &str = "\r\x1b[K";

impl Screen {
    /// An empty one.
    pub fn new(out: Out, terminal: Box<dyn Terminal>, colours: Colours) -> Self {
        let (moving, drawn, waiting, frame) = (None, false, Vec::new(), 0);
        Self { out, terminal, colours, moving, drawn, waiting, frame }
    }

    /// Shows lines that stay.
    pub fn lines(&mut self, lines: impl IntoIterator<Item = Line>, now: SystemTime) {
        self.waiting.extend(lines);
        self.draw(now);
    }

    /// Shows what goes on from now on; nothing moves with `None`.
    pub fn moves(&mut self, moving: Option<Moving>, now: SystemTime) {
        self.moving = moving;
        self.draw(now);
    }

    /// The next moment: the spinner turns, seconds go by.
    pub fn tick(&mut self, now: SystemTime) {
        self.frame = (self.frame + 1) % SPINNER.len();
        self.draw(now);
    }

    /// Shows all that waits, whoever is asked, and lets nothing move any more.
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
            // A question of ssh's begins where the cursor is.
            text.push_own("\r");
        }
        if !text.is_empty() {
            self.out.write(&text);
        }
    }
}

/// One line that fits: a terminal that breaks it would keep its first half for ever. The
/// words are cut, the seconds are not.
fn fitted(moving: &Moving, spinner: char, columns: usize, now: SystemTime) -> String {
    let left = moving.until.map(|until| format!(" ({} s left)", seconds(until, now)));
    let left = left.unwrap_or_default();
    // The last column stays free: what is written there may break the line.
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

/// Whole seconds, of which the last has begun: 0 is the deadline itself.
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
