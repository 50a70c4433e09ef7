//! What people and scripts see. Receives only: no stage asks it anything.

mod event;
mod json;
mod live;
mod plain;
mod words;

use std::{io::IsTerminal, sync::Mutex};

pub use event::{Event, Finished, NewLogin, Stage};
pub use words::bytes;

/// Something that shows events.
trait Renderer: Send {
    fn show(&mut self, event: &Event);
}

/// The report of one run.
pub struct Report {
    shown: Mutex<Shown>,
}

struct Shown {
    renderer: Box<dyn Renderer>,
    last_note: Option<(String, String)>,
}

/// How to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people: live in a terminal, lines in a pipe.
    People,
    /// One JSON document a line.
    Json,
}

/// How much to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What matters.
    Normal,
    /// Build logs and what the switch prints as well.
    Everything,
}

impl Report {
    /// A report on stdout.
    pub fn new(format: Format, detail: Detail) -> Self {
        let renderer: Box<dyn Renderer> = match format {
            Format::Json => Box::new(json::Json),
            Format::People if std::io::stdout().is_terminal() => Box::new(live::Live::new(detail)),
            Format::People => Box::new(plain::Plain::new(detail)),
        };
        Self { shown: Mutex::new(Shown { renderer, last_note: None }) }
    }

    /// Shows an event. A note that repeats the one before it is not shown again.
    pub fn tell(&self, event: Event) {
        let mut shown = self.shown.lock().expect("no renderer panics");
        if let Event::Note { machine, text } = &event {
            let note = Some((machine.clone(), text.clone()));
            if shown.last_note == note {
                return;
            }
            shown.last_note = note;
        }
        shown.renderer.show(&event);
    }
}
