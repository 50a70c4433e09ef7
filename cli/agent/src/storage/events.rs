//! The events of an attempt, one per line, on /run. Followers read them, now or later. They are
//! never written to the disk.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use anyhow::Result;
use deploy_wire::{attempt::AttemptId, event::Event};

use crate::storage::{files, paths::VOLATILE};

/// The folder of one attempt on /run.
pub fn folder(attempt: &AttemptId) -> PathBuf {
    Path::new(VOLATILE).join(attempt.as_str())
}

/// Creates such a folder and its parent.
pub fn make(folder: &Path) -> Result<()> {
    folder.parent().map_or(Ok(()), files::private_folder)?;
    files::private_folder(folder)
}

/// The events of one attempt. Several processes append at the same time: each event is one write of
/// one line to a file opened for appending.
#[derive(Debug, Clone)]
pub struct Events {
    path: PathBuf,
}

impl Events {
    /// The events of an attempt.
    pub fn of(attempt: &AttemptId) -> Self {
        Self::in_folder(&folder(attempt))
    }

    /// The events in a folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join("events.jsonl") }
    }

    /// Writes an event. An error is ignored: an attempt must not fail because its events cannot be
    /// written.
    pub fn tell(&self, event: &Event) {
        if let Err(error) = self.append(event) {
            eprintln!("an event could not be kept: {error}");
        }
    }

    /// Writes a note.
    pub fn note(&self, text: impl Into<String>) {
        self.tell(&Event::Note { text: text.into() });
    }

    fn append(&self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        if let Some(folder) = self.path.parent().filter(|folder| !folder.exists()) {
            make(folder).map_err(io::Error::other)?;
        }
        let mut options = OpenOptions::new();
        files::create_private(options.create(true).append(true), &self.path)?.write_all(&line)
    }

    /// Reads the events from the first on.
    pub fn reader(&self) -> Reader {
        Reader { path: self.path.clone(), file: None, rest: String::new(), number: 0 }
    }
}

/// Reads events as they arrive.
pub struct Reader {
    path: PathBuf,
    file: Option<BufReader<File>>,
    rest: String,
    number: u64,
}

impl Reader {
    /// The next event with its number; `None` if there is none yet.
    pub fn next(&mut self) -> Option<(u64, Event)> {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok().map(BufReader::new);
        }
        let file = self.file.as_mut()?;
        file.read_line(&mut self.rest).ok()?;
        if !self.rest.ends_with('\n') {
            return None;
        }
        let line = std::mem::take(&mut self.rest);
        let number = self.number;
        self.number += 1;
        let event = serde_json::from_str(&line)
            .unwrap_or_else(|error| Event::Note { text: format!("an unreadable event: {error}") });
        Some((number, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gets_all_events_with_numbers_without_gaps() {
        let folder = tempfile::tempdir().unwrap();
        let events = Events::in_folder(&folder.path().join("7f3a01c2"));
        let mut reader = events.reader();
        assert_eq!(reader.next(), None);
        events.note("one");
        events.note("two");
        let note = |text: &str| Event::Note { text: text.into() };
        assert_eq!(reader.next(), Some((0, note("one"))));
        assert_eq!(reader.next(), Some((1, note("two"))));
        assert_eq!(reader.next(), None);
        events.note("three");
        assert_eq!(reader.next(), Some((2, note("three"))));
    }
}
