//! The thread that finds bases and reads them for their indexes.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    io,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use deploy_delta::{answer::Answer, index};
use deploy_wire::store_path::StorePath;

use super::{
    choice,
    found::{self, FoundBase},
};
use crate::receive::{outbox::Outbox, partial::Keeper};

/// The most bytes that are read for indexes in one push: a minute and a half from an SD card of
/// 20 MB a second, which is no longer than a push of as much takes over 50 Mbit/s. Beyond it paths
/// are sent as a whole. What is copied from bases is read besides.
const READ: u64 = 2 << 30;

/// The bytes of an index that are sent at once.
const PART: usize = 64 << 10;

/// What the client wants of the thread.
#[derive(Default)]
pub struct Todo {
    pub wanted: Option<Vec<StorePath>>,
    /// The numbers of the wanted paths whose base's index is needed, the most urgent first.
    pub asked: VecDeque<u32>,
    /// Indexes that are not needed any more.
    pub forgotten: HashSet<u32>,
}

/// What the threads share.
#[derive(Default)]
pub struct Work {
    todo: Mutex<Todo>,
    changed: Condvar,
    /// The bases by the numbers of their wanted paths.
    pub bases: Mutex<HashMap<u32, FoundBase>>,
}

impl Work {
    /// Changes what is to be done.
    pub fn change(&self, how: impl FnOnce(&mut Todo)) {
        how(&mut self.todo());
        self.changed.notify_all();
    }

    fn todo(&self) -> MutexGuard<'_, Todo> {
        self.todo.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what is to be done until the client is gone.
    pub fn run(&self, outbox: &Outbox, keeper: &Keeper) {
        let mut left = READ;
        loop {
            let mut todo = self.todo();
            while todo.wanted.is_none() && todo.asked.is_empty() {
                todo = self.changed.wait(todo).unwrap_or_else(PoisonError::into_inner);
            }
            let wanted = todo.wanted.take();
            let asked = if wanted.is_none() { todo.asked.pop_front() } else { None };
            drop(todo);
            let done = match (wanted, asked) {
                (Some(wanted), _) => self.find(&wanted, outbox, keeper),
                (None, Some(number)) => self.index(number, &mut left, outbox),
                (None, None) => Ok(()),
            };
            if done.is_err() {
                return;
            }
        }
    }

    /// Without bases a push goes on with whole paths.
    fn find(&self, wanted: &[StorePath], outbox: &Outbox, keeper: &Keeper) -> io::Result<()> {
        let bases = choice::bases(wanted).unwrap_or_else(|error| {
            eprintln!("deploy-agent: no path of this machine is used for the push: {error:#}");
            Vec::new()
        });
        let found = found::all(bases, wanted, keeper.left());
        let bases = found.values().map(|found| found.base.clone()).collect();
        *self.bases.lock().unwrap_or_else(PoisonError::into_inner) = found;
        outbox.answer(&Answer::Bases(bases))
    }

    fn index(&self, number: u32, left: &mut u64, outbox: &Outbox) -> io::Result<()> {
        let bases = self.bases.lock().unwrap_or_else(PoisonError::into_inner);
        let found = bases.get(&number).filter(|found| found.base.length <= *left).cloned();
        drop(bases);
        let Some(found) = found else { return outbox.answer(&Answer::NoIndex(number)) };
        let length = found.base.length;
        *left -= length;
        let mut part = Vec::new();
        let made = found.archive().and_then(|mut archive| {
            if archive.length() != length {
                return Err(io::Error::other("it has another size"));
            }
            index::make(&mut archive, length, &found.references(), |_, entries| {
                if self.todo().forgotten.contains(&number) {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                part.extend_from_slice(entries);
                if part.len() >= PART {
                    let part = std::mem::take(&mut part);
                    outbox.answer(&Answer::Index { number, part, last: false })?;
                }
                Ok(())
            })
        });
        outbox.answer(&match made {
            Ok(()) => Answer::Index { number, part, last: true },
            Err(_) => Answer::NoIndex(number),
        })
    }
}
