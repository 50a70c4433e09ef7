//! The login that begins while the flake is evaluated, to the machine that the last run with the
//! same arguments logged in to.
//!
//! It runs nothing on the machine before the evaluation has named the same login:
//! `a-login-that-begins-early-runs-nothing-on-a-machine-that-is-not-named-any-more` proves it.

use std::time::Duration;

use deploy_wire::machine::Ssh;
use serde_json::{Value, json};

use crate::tools::{
    cache::Cache,
    ssh::{Greeted, Opening, Options, Target},
};

/// The folder of the last logins, below the cache folder.
const FOLDER: &str = "logins";

/// A login that took longer may have asked somebody something. The next one does not begin early,
/// because nobody is asked for a machine that the evaluation may not name:
/// `a_login_that_somebody_may_have_answered_for_does_not_begin_early` proves it.
const ASKED_NOBODY: Duration = Duration::from_secs(2);

/// The first login to a machine.
pub struct FirstLogin {
    key: String,
    early: Option<Opening>,
    /// Whether nobody may be asked anything for it.
    pub is_unattended: bool,
}

impl FirstLogin {
    /// Begins the login that the last run with these arguments made, if there is one and it asks
    /// nobody anything. `arguments` must name everything that says which options of `ssh` a flake
    /// may set. A failure is no error: the ordinary login follows.
    pub async fn begin(arguments: &Value) -> Self {
        let key = arguments.to_string();
        let early = begin(&key).await;
        Self { key, early, is_unattended: false }
    }

    /// No early login, because one must not begin before a question is answered. The login is not
    /// kept for the next run either.
    pub fn only_ordinary() -> Self {
        Self { key: String::new(), early: None, is_unattended: false }
    }

    /// The login to a machine's first address that asks nobody anything. If it fails, no other one
    /// follows.
    pub async fn unattended(ssh: &Ssh) -> Self {
        Self { early: opening(ssh).await, is_unattended: true, ..Self::only_ordinary() }
    }

    /// The login that has begun, if it is this one. Another one is ended.
    pub fn take(&mut self, target: &Target) -> Option<Opening> {
        self.early.take().filter(|early| early.target() == target)
    }

    /// Keeps the login that was made, for the next run.
    pub fn keep(&self, ssh: &Ssh, greeted: &Greeted, took: Duration) {
        if self.key.is_empty() {
            return;
        }
        let kept = if asked_nobody(greeted, took) { json!(ssh) } else { Value::Null };
        Cache::named(FOLDER).put(&self.key, &kept);
    }
}

async fn begin(key: &str) -> Option<Opening> {
    opening(&serde_json::from_value(Cache::named(FOLDER).get(key)?).ok()?).await
}

async fn opening(ssh: &Ssh) -> Option<Opening> {
    let (options, _) = Options::of(&ssh.opts).await.ok()?;
    let target = Target::all_of(ssh, &options).into_iter().next()?;
    let args = target.args_that_ask_nothing().await?;
    Opening::begin(&target, args).ok()
}

fn asked_nobody(greeted: &Greeted, took: Duration) -> bool {
    took < ASKED_NOBODY && greeted.authenticated.as_deref() == Some("publickey")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_that_somebody_may_have_answered_for_does_not_begin_early() {
        let by =
            |method: &str| Greeted { authenticated: Some(method.to_owned()), ..Greeted::default() };
        assert!(asked_nobody(&by("publickey"), Duration::from_millis(400)));
        assert!(!asked_nobody(&by("publickey"), Duration::from_secs(3)), "a passphrase was typed");
        assert!(!asked_nobody(&by("password"), Duration::from_millis(400)));
        assert!(!asked_nobody(&Greeted::default(), Duration::from_millis(400)));
    }
}
