//! The output of each renderer, for tests.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use super::{
    Detail, Event, Format, Renderer, Report, Shown, json::Json, line::Colours, live::Live,
    out::Out, plain::Plain, terminal::Terminal,
};

/// The output, which a test can read while it is being written.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A terminal with a fixed number of columns.
struct TerminalOfColumns {
    columns: usize,
    asks: bool,
}

impl Terminal for TerminalOfColumns {
    fn columns(&self) -> usize {
        self.columns
    }

    fn asks(&self) -> bool {
        self.asks
    }
}

fn told(events: &[Event], mut renderer: impl Renderer) {
    events.iter().for_each(|event| renderer.show(event));
}

/// A report, and a function that returns its output so far.
pub fn report(format: Format) -> (Report, impl Fn() -> String) {
    let written = Written::default();
    let out = Out::to(written.clone());
    let renderer: Box<dyn Renderer> = match format {
        Format::Json => Box::new(Json::new(out)),
        Format::People => Box::new(Plain::new(out, Detail::Everything)),
    };
    let report = Report { shown: Mutex::new(Shown { renderer, last_note: None, timings: None }) };
    (report, move || String::from_utf8(written.0.lock().unwrap().clone()).unwrap())
}

/// The output in a pipe.
pub fn plain(events: &[Event]) -> String {
    let written = Written::default();
    told(events, Plain::new(Out::to(written.clone()), Detail::Normal));
    String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
}

/// The output with `--json`.
pub fn json(events: &[Event]) -> String {
    let written = Written::default();
    told(events, Json::new(Out::to(written.clone())));
    String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
}

/// The contents of a terminal with `columns` columns, after the last event and after the view is
/// dropped. Coloured words are `<in brackets>`.
pub fn live(events: &[Event], columns: u16) -> [String; 2] {
    drawn(
        events,
        columns,
        TerminalOfColumns { columns: columns.into(), asks: false },
        Colours::Shown,
    )
}

/// The final contents without colours.
pub fn live_without_colours(events: &[Event], columns: u16) -> String {
    let [_, after] = drawn(
        events,
        columns,
        TerminalOfColumns { columns: columns.into(), asks: false },
        Colours::Off,
    );
    after
}

/// The contents while somebody types a secret.
pub fn live_while_asked(events: &[Event], columns: u16) -> [String; 2] {
    drawn(
        events,
        columns,
        TerminalOfColumns { columns: columns.into(), asks: true },
        Colours::Shown,
    )
}

fn drawn(
    events: &[Event],
    columns: u16,
    screen: TerminalOfColumns,
    colours: Colours,
) -> [String; 2] {
    let written = Written::default();
    let terminal = Box::new(screen);
    let out = Out::to(written.clone());
    let mut live = Live::new(out, terminal, colours, Detail::Normal);
    events.iter().for_each(|event| live.show(event));
    let screen = || {
        let mut parser = vt100::Parser::new(60, columns, 0);
        // A terminal's driver does the same.
        let bytes = written.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap().replace('\n', "\r\n");
        parser.process(text.as_bytes());
        contents(parser.screen())
    };
    let during = screen();
    drop(live);
    [during, screen()]
}

fn contents(screen: &vt100::Screen) -> String {
    let (rows, columns) = screen.size();
    let mut text = String::new();
    let mut coloured = false;
    for row in 0..rows {
        for column in 0..columns {
            let Some(cell) = screen.cell(row, column) else { continue };
            let is = cell.fgcolor() != vt100::Color::Default;
            if is != coloured {
                text.push(if is { '<' } else { '>' });
                coloured = is;
            }
            text.push_str(if cell.has_contents() { cell.contents() } else { " " });
        }
        text.truncate(text.trim_end_matches(' ').len());
        if !screen.row_wrapped(row) {
            text.push('\n');
        } else {
            text.push_str("↩\n");
        }
    }
    text.trim_end().to_owned()
}
