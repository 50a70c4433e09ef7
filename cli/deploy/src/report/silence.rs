//! Reports that a machine does not answer.

use std::{future::Future, time::Duration};

use tokio::{pin, select, time::sleep};

use crate::report::Report;

/// How long to wait before the report says so.
const QUIET: Duration = Duration::from_secs(15);

/// Waits for `answer`. If it takes long, a note says what `deploy` waits for:
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
