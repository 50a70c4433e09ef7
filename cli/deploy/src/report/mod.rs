//! What people and scripts see. Receives only: no stage asks it anything.

mod changes;
mod event;
mod json;
mod line;
mod live;
mod out;
mod plain;
mod pushed;
mod screen;
#[cfg(test)]
pub mod shown;
pub mod silence;
mod terminal;
mod words;

use std::{io::IsTerminal, sync::Mutex};

pub use changes::{Changes, PackageChange, Units};
pub use event::{Event, Finished, Holder, NewLogin, Stage, Standstill};
use line::{Colours, Line};
use out::Out;
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
        let out = Out::stdout();
        let renderer: Box<dyn Renderer> = match format {
            Format::Json => Box::new(json::Json::new(out)),
            Format::People if is_live() => {
                let terminal = Box::new(terminal::Stdout::new());
                let live = live::Live::new(out, terminal, Colours::wanted(), detail);
                Box::new(live.moving())
            }
            Format::People => Box::new(plain::Plain::new(out, detail)),
        };
        Self { shown: Mutex::new(Shown { renderer, last_note: None }) }
    }

    /// Shows a note about a machine.
    pub fn note(&self, machine: &str, text: impl Into<String>) {
        self.tell(Event::Note { machine: machine.to_owned(), text: text.into() });
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

/// Whether lines can move: on a terminal that knows how to go back in one.
fn is_live() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
