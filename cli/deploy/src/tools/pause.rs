//! Work that stands still while something else needs the line.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    pin::pin,
    task::{Poll, Waker},
};

/// A switch for work that goes on beside something more important.
#[derive(Debug, Default)]
pub struct Pause {
    holds: Cell<u32>,
    waiting: RefCell<Vec<Waker>>,
}

/// As long as this lives, the work stands still.
#[derive(Debug)]
pub struct Hold<'a>(&'a Pause);

impl Pause {
    /// Stops the work. What it wrote already may still be on its way.
    pub fn hold(&self) -> Hold<'_> {
        self.holds.set(self.holds.get() + 1);
        Hold(self)
    }

    /// Does `work` as long as it is not held. While it is, nothing of it reads or writes, and what
    /// talks to it waits.
    pub async fn unless_held<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            if self.holds.get() == 0 {
                return work.as_mut().poll(context);
            }
            self.waiting.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.holds.set(self.0.holds.get() - 1);
        if self.0.holds.get() == 0 {
            self.0.waiting.take().into_iter().for_each(Waker::wake);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{rc::Rc, time::Duration};

    use tokio::{
        task::{LocalSet, spawn_local},
        time::sleep,
    };

    use super::*;

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn work_stands_still_as_long_as_one_holds_it() {
        let tasks = LocalSet::new();
        tasks
            .run_until(async {
                let (pause, steps) = (Rc::new(Pause::default()), Rc::new(Cell::new(0)));
                let (with, counts) = (Rc::clone(&pause), Rc::clone(&steps));
                let work = spawn_local(async move {
                    let work = async {
                        while counts.get() < 10 {
                            sleep(Duration::from_secs(1)).await;
                            counts.set(counts.get() + 1);
                        }
                    };
                    with.unless_held(work).await;
                });
                let seconds = |count: u64| sleep(Duration::from_millis(count * 1000 + 500));
                seconds(2).await;
                assert_eq!(steps.get(), 2);
                let (one, two) = (pause.hold(), pause.hold());
                seconds(5).await;
                drop(one);
                seconds(5).await;
                assert_eq!(steps.get(), 2, "it went on");
                drop(two);
                work.await.unwrap();
                assert_eq!(steps.get(), 10);
            })
            .await;
    }
}
