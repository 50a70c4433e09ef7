//! Waiting for a machine, which may never answer. Each wait has a limit.

use std::{future::Future, time::Duration};

use tokio::time::timeout;

/// The limit for a login, and for a question over it. sshd itself ends an incomplete login after
/// two minutes, so this cuts nobody off who types a passphrase or touches a key.
pub const ANSWER: Duration = Duration::from_secs(300);

/// The machine did not answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it did not answer within {} s", .0.as_secs())]
pub struct Late(pub Duration);

/// Waits for `answer`, at most for `limit`.
pub async fn within<T>(limit: Duration, answer: impl Future<Output = T>) -> Result<T, Late> {
    timeout(limit, answer).await.map_err(|_| Late(limit))
}
