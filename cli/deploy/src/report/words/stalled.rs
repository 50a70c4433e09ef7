//! Why a push makes no progress, as text.

use crate::{
    report::{Holder, Standstill},
    tools::ssh::OnlyTheAgent,
};

/// The reason in one line.
pub fn words(seconds: u64, why: &Standstill) -> String {
    let still = format!("no progress for {seconds} s");
    match why {
        Standstill::Lock(holder) => format!(
            "{still}: {} holds the lock on a store path; it is another push or build under way, \
             or one that somebody's lost connection left behind. This one goes on when it ends",
            process(holder)
        ),
        Standstill::NotKnown => format!(
            "{still}, and no lock is in the way there: the machine is at work, \
             or the connection is slow"
        ),
        Standstill::NotAllowed => {
            format!("{still}; the machine cannot be asked why: {OnlyTheAgent}")
        }
        Standstill::NoAnswer => {
            format!("{still}, and the machine does not answer: the connection may be lost")
        }
    }
}

/// Formats a process as `process 42 there (nix-daemon, since 3 min, from 10.0.0.5)`.
fn process(holder: &Holder) -> String {
    let since = holder.seconds.map(|seconds| match seconds {
        0..120 => format!(", since {seconds} s"),
        120..7200 => format!(", since {} min", seconds / 60),
        _ => format!(", since {} h", seconds / 3600),
    });
    let from = holder.from.as_ref().map(|from| format!(", from {from}"));
    let (since, from) = (since.unwrap_or_default(), from.unwrap_or_default());
    format!("process {} there ({}{since}{from})", holder.process, holder.program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_named_as_far_as_it_is_known() {
        let mut holder = Holder {
            process: 42,
            program: "nix-daemon".into(),
            seconds: Some(185),
            from: Some("10.0.0.5".into()),
        };
        assert_eq!(process(&holder), "process 42 there (nix-daemon, since 3 min, from 10.0.0.5)");
        holder.seconds = Some(119);
        assert!(process(&holder).contains("since 119 s"));
        holder.seconds = Some(7200);
        assert!(process(&holder).contains("since 2 h"));
        (holder.seconds, holder.from) = (None, None);
        assert_eq!(process(&holder), "process 42 there (nix-daemon)");
    }
}
