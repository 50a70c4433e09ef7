//! The report as plain lines, for a pipe or a file.

use std::time::Instant;

use super::{
    Detail, Event, Line, Renderer,
    out::{Out, Text},
    pushed::Pushes,
    words,
};

/// Prints a line for each event that matters, and for a push only its result.
pub struct Plain {
    out: Out,
    detail: Detail,
    pushes: Pushes,
}

impl Plain {
    /// Prints lines to `out`.
    pub fn new(out: Out, detail: Detail) -> Self {
        Self { out, detail, pushes: Pushes::default() }
    }

    fn print(&mut self, lines: impl IntoIterator<Item = Line>) {
        for line in lines {
            self.out.write(&Text::line(line.text()));
        }
    }
}

impl Renderer for Plain {
    fn show(&mut self, event: &Event) {
        if let Event::Push { machine, progress, carried } = event {
            self.pushes.at(machine, progress, *carried, Instant::now());
            return;
        }
        // A stalled push is not over.
        let is_over = !matches!(event, Event::Stalled { .. });
        let pushed = is_over.then(|| self.pushes.end(Instant::now())).flatten();
        self.print(pushed.into_iter().chain(words::lines(event, self.detail)));
    }
}
