//! Waiting for a machine, which may answer nothing at all: each wait has a limit.

use std::{future::Future, time::Duration};

use tokio::time::timeout;

/// For a login, and for one question over it. sshd itself ends a login that nobody completes
/// after two minutes, so nobody who types a passphrase or touches a key is cut short by this.
pub const ANSWER: Duration = Duration::from_secs(300);

/// A machine that was waited for long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it did not answer within {} s", .0.as_secs())]
pub struct Late(pub Duration);

/// `answer`, if it comes within `limit`.
pub async fn within<T>(limit: Duration, answer: impl Future<Output = T>) -> Result<T, Late> {
    timeout(limit, answer).await.map_err(|_| Late(limit))
}
