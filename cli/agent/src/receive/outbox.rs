//! What goes back to the client: the daemon's answers as they are, or among those of the delta.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use deploy_delta::{ANNOUNCED, answer::Answer};

/// The way back. Several threads write to it.
#[derive(Clone)]
pub struct Outbox(Arc<Mutex<Inside>>);

struct Inside {
    out: Box<dyn Write + Send>,
    /// Whether the client knows the answers of the delta.
    delta: bool,
}

impl Outbox {
    pub fn new(out: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Inside { out: Box::new(out), delta: false })))
    }

    /// Says that this agent knows the delta. All that follows is in its answers.
    pub fn announce(&self) -> io::Result<()> {
        let mut inside = self.lock();
        inside.delta = true;
        inside.out.write_all(&ANNOUNCED)?;
        inside.out.flush()
    }

    /// Sends an answer of the delta, where the client knows those.
    pub fn tell_share(&self, answer: &Answer) -> io::Result<()> {
        let knows_delta = self.lock().delta;
        if knows_delta { self.answer(answer) } else { Ok(()) }
    }

    /// Sends an answer.
    pub fn answer(&self, answer: &Answer) -> io::Result<()> {
        let mut inside = self.lock();
        inside.out.write_all(&answer.to_bytes())?;
        inside.out.flush()
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The daemon's answers.
impl Write for Outbox {
    fn write(&mut self, said: &[u8]) -> io::Result<usize> {
        let mut inside = self.lock();
        if inside.delta {
            inside.out.write_all(&Answer::Daemon(said.to_vec()).to_bytes())?;
        } else {
            inside.out.write_all(said)?;
        }
        Ok(said.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().out.flush()
    }
}
