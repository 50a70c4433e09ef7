//! A machine that does not answer: that it is waited for is said.

use std::{future::Future, time::Duration};

use tokio::{pin, select, time::sleep};

use crate::report::Report;

/// How long nothing may be heard before it is said.
const QUIET: Duration = Duration::from_secs(15);

/// `answer`, and once it takes longer than a moment a note that says what is waited for:
/// `a-machine-that-accepts-a-login-and-says-nothing-is-said-to-be-waited-for` proves it.
pub async fn announce<T>(
    answer: impl Future<Output = T>,
    machine: &str,
    what: &str,
    limit: Duration,
    report: &Report,
) -> T {
    pin!(answer);
    select! {
        biased;
        answer = &mut answer => return answer,
        () = sleep(QUIET) => {}
    }
    report.note(machine, words(what, limit));
    answer.await
}

fn words(what: &str, limit: Duration) -> String {
    let (quiet, limit) = (QUIET.as_secs(), limit.as_secs());
    format!("{what} has not answered for {quiet} s; waiting for at most {limit} s in all")
}
