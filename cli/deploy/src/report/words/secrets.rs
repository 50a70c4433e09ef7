//! Secrets, and what came of them, in words.

use crate::report::{
    KeyShown, SecretShown, SecretState, UserShown,
    line::{Line, Tone},
};

/// A secret, and what is to be mended about it.
pub fn secret(secret: &SecretShown) -> Vec<Line> {
    let SecretShown { name, file, readers, state, counted_only, used_by } = secret;
    let readers = match used_by {
        Some(users) => format!("{}; {}", readers.join(", "), used(users)),
        None => readers.join(", "),
    };
    let bad = |text: String, word| vec![Line::with(text, Tone::Warning, word)];
    match state {
        SecretState::AsTheRule if *counted_only => vec![Line::plain(format!(
            "{name}: {readers} (keys that are not of SSH's are counted, not compared)"
        ))],
        SecretState::AsTheRule => vec![Line::plain(format!("{name}: {readers}"))],
        SecretState::Missing => {
            bad(format!("{name}: {readers}: not made yet ({file})"), "not made yet")
        }
        SecretState::Damaged { why } => {
            bad(format!("{name}: {readers}: damaged: {why} ({file})"), "damaged")
        }
        SecretState::Differs { lacks, unknown, counted } => {
            let mut lines =
                bad(format!("{name}: {readers}: not encrypted to them"), "not encrypted to them");
            let lacks = lacks.iter().map(|key| format!("  not to {key}"));
            let unknown = unknown.iter().map(|key| format!("  but to {key}"));
            let counted = counted.iter().map(|count| format!("  to {count}"));
            lines.extend(lacks.chain(unknown).chain(counted).map(Line::plain));
            lines
        }
    }
}

/// The machines that use a secret, each with its services.
fn used(users: &[UserShown]) -> String {
    let one = |UserShown { machine, services }: &UserShown| match services.is_empty() {
        true => machine.clone(),
        false => format!("{machine} ({})", services.join(", ")),
    };
    match users {
        [] => "no machine uses it".to_owned(),
        users => format!("used by {}", users.iter().map(one).collect::<Vec<_>>().join(", ")),
    }
}

/// A key, and what it can read.
pub fn key(key: &KeyShown) -> Vec<Line> {
    let KeyShown { name, key, fingerprint, secrets } = key;
    let kind = key.split_whitespace().next().unwrap_or_default();
    let first = match kind == fingerprint {
        true => format!("{name}: {fingerprint}"),
        false => format!("{name}: {kind} {fingerprint}"),
    };
    let reads = format!("  reads {}", secrets.join(", "));
    vec![Line::plain(first), Line::plain(reads)]
}

/// What came of one, or of all.
pub fn done(secret: Option<&str>, text: &str) -> Vec<Line> {
    vec![Line::plain(match secret {
        Some(secret) => format!("{secret}: {text}"),
        None => text.to_owned(),
    })]
}
