//! The output for people and scripts. It only receives events; no stage asks it anything.

mod changes;
mod event;
mod flashed;
mod json;
mod line;
mod live;
mod out;
mod plain;
mod pushed;
mod rate;
mod screen;
#[cfg(test)]
pub mod shown;
pub mod silence;
mod terminal;
mod timings;
mod turn;
mod words;

use std::{io::IsTerminal, sync::Mutex, time::Instant};

pub use changes::{ChangedSecret, Changes, PackageChange, SecretChanges, Units};
pub use event::{
    Carried, DiskShown, Event, Finished, Holder, KeyShown, Moment, PortShown, SecretShown,
    SecretState, Stage, Standstill, UserShown, VmShown, VolumeShown,
};
use line::{Colours, Line};
use out::Out;
pub use out::secret_text;
use timings::Timings;
pub use turn::Turn;
pub use words::{bytes, older_secret_lines, secret_lines};

/// Shows events.
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
    timings: Option<Timings>,
}

/// The format of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people: a status line in a terminal, plain lines in a pipe.
    People,
    /// For scripts: one JSON document a line.
    Json,
}

/// The amount of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The default.
    Normal,
    /// Includes build logs and what the switch prints.
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
        Self::with(renderer)
    }

    fn with(renderer: Box<dyn Renderer>) -> Self {
        Self { shown: Mutex::new(Shown { renderer, last_note: None, timings: None }) }
    }

    /// Shows after each machine how long each part took, counted from now.
    pub fn with_timings(self) -> Self {
        self.shown.lock().expect("no renderer panics").timings =
            Some(Timings::begin(Instant::now()));
        self
    }

    /// Waits for the operator's answer to a question.
    pub async fn while_asking<T>(&self, answer: impl Future<Output = T>) -> T {
        self.tell(Event::Question(Moment::Begins));
        let answer = answer.await;
        self.tell(Event::Question(Moment::Over));
        answer
    }

    /// Shows a note about a machine.
    pub fn note(&self, machine: &str, text: impl Into<String>) {
        self.tell(Event::Note { machine: machine.to_owned(), text: text.into() });
    }

    /// Shows an event, unless it is a note that repeats the one before it.
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
        let timed = shown.timings.as_mut().and_then(|timings| timings.at(&event, Instant::now()));
        if let (Some(timings), Event::Finished(Finished { machine, .. })) = (timed, event) {
            shown.renderer.show(&Event::Timings { machine, timings });
        }
    }
}

/// Whether stdout is a terminal that can redraw a line.
fn is_live() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
