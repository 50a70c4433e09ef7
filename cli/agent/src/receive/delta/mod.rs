//! The bases of a push: paths that this machine has, and that resemble those that are pushed.
//!
//! A thread finds them and reads them for their indexes, while the others carry the push.

mod choice;
mod found;
mod worker;

use std::{
    io,
    sync::{Arc, PoisonError},
    thread,
};

use deploy_delta::{answer::Answer, archive::Archive, decode::Bases, references::References};
use deploy_wire::store_path::StorePath;

use self::worker::Work;
use super::{outbox::Outbox, partial::Keeper};

/// The bases of one push.
pub struct Delta {
    work: Arc<Work>,
    outbox: Outbox,
    keeper: Arc<Keeper>,
}

impl Delta {
    /// Starts the thread, which ends with this process.
    pub fn new(outbox: &Outbox, keeper: &Arc<Keeper>) -> Self {
        let work = Arc::new(Work::default());
        let (with, to, kept) = (Arc::clone(&work), outbox.clone(), Arc::clone(keeper));
        thread::spawn(move || with.run(&to, &kept));
        Self { work, outbox: outbox.clone(), keeper: Arc::clone(keeper) }
    }
}

impl Bases for Delta {
    /// It is told over a line that is not known to be fast. Over a fast one a path is soon there
    /// again, and is not kept.
    fn wanted(&mut self, paths: Vec<StorePath>) -> io::Result<()> {
        self.keeper.open();
        self.work.change(|todo| todo.wanted = Some(paths));
        Ok(())
    }

    fn ask(&mut self, number: u32) -> io::Result<()> {
        self.work.change(|todo| {
            // What is asked for now is needed before what was asked for earlier.
            todo.asked.retain(|asked| *asked != number);
            todo.asked.push_front(number);
        });
        Ok(())
    }

    fn forget(&mut self, number: u32) {
        self.work.change(|todo| {
            todo.asked.retain(|asked| *asked != number);
            todo.forgotten.insert(number);
        });
    }

    fn open(&mut self, number: u32) -> io::Result<(Archive, References)> {
        let bases = self.work.bases.lock().unwrap_or_else(PoisonError::into_inner);
        let found = bases.get(&number).ok_or_else(|| io::Error::other("there is no such base"))?;
        Ok((found.archive()?, found.references()))
    }

    /// The error of this thread is told, whether or not the client hears of it here.
    fn damaged(&mut self, number: u32, why: &str) {
        let bases = self.work.bases.lock().unwrap_or_else(PoisonError::into_inner);
        let path = bases.get(&number).map_or("a base", |found| found.base.path.as_str());
        let _ = self.outbox.answer(&Answer::Damaged(format!("{path}: {why}")));
    }
}
