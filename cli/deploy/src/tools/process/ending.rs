//! How programs that were started end: their exit statuses, and those that are asked to end.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::Child,
    runtime::Handle,
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};

/// Makes the kernel keep the exit statuses of programs that are started from now on. A shell that
/// ignores SIGCHLD passes that on to its children, and the kernel then discards their statuses: now
/// and then `deploy` could not see how Nix or ssh ended. The refusal
/// `a-shell-that-ignores-sigchld-hands-that-on-and-nix-is-heard-of` proves it.
pub fn keep_exit_statuses() {
    // With a handler, child programs start with the default again. If it cannot be installed, the
    // inherited setting stays.
    let _ = signal(SignalKind::child());
}

/// How long a program may take to end after it was asked to.
const PATIENCE: Duration = Duration::from_secs(2);

/// A program that is asked to end when this is dropped, and killed only if it does not. Nix without
/// a daemon would leave its builds running if it were killed, and they hold locks.
/// `ctrl-c-ends-a-build-wherever-it-is` proves it.
pub(super) struct AskedToEnd(Option<Child>);

impl AskedToEnd {
    /// Takes a running program.
    pub(super) fn new(child: Child) -> Self {
        Self(Some(child))
    }

    /// The program.
    pub(super) fn child(&mut self) -> &mut Child {
        self.0.as_mut().expect("only the drop takes it")
    }
}

/// Programs that were asked to end and may still run.
static ENDING: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

impl Drop for AskedToEnd {
    fn drop(&mut self) {
        let Some(mut child) = self.0.take() else { return };
        let running = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let Some(running) = running else { return };
        // A program that has ended needs no signal.
        let _ = kill_process(running, Signal::TERM);
        let ended = async move {
            let _ = tokio::time::timeout(PATIENCE, child.wait()).await;
        };
        // Nothing waits any more while the runtime ends.
        if let Ok(runtime) = Handle::try_current() {
            ENDING.lock().unwrap_or_else(PoisonError::into_inner).push(runtime.spawn(ended));
        }
    }
}

/// Waits until the programs have ended that were asked to. Exiting earlier would kill them.
pub async fn wait_for_ending() {
    let ending = std::mem::take(&mut *ENDING.lock().unwrap_or_else(PoisonError::into_inner));
    for program in ending {
        // A program whose task is gone does not run any more.
        let _ = program.await;
    }
}
