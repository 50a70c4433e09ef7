//! Constructors of refusals.

use deploy_wire::{
    message::{Refusal, RefusalKind},
    sealed::NotSealed,
};

use crate::storage::files::Damaged;

/// Why an attempt is not staged.
#[derive(Debug)]
pub enum StageError {
    /// The machine refuses it.
    Refused(Refusal),
    /// The machine could not find out, or not do it.
    Failed(anyhow::Error),
}

impl From<Refusal> for StageError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<anyhow::Error> for StageError {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<StageError> for Refusal {
    fn from(error: StageError) -> Self {
        match error {
            StageError::Refused(refusal) => refusal,
            StageError::Failed(error) => failed(&error),
        }
    }
}

pub fn refuse(kind: RefusalKind, why: impl Into<String>) -> Refusal {
    Refusal { kind, why: why.into(), hint: None }
}

/// The refusal for an error of the machine.
pub fn failed(error: &anyhow::Error) -> Refusal {
    let why = format!("{error:#}");
    match error.downcast_ref::<Damaged>() {
        None => refuse(RefusalKind::Failed, why),
        Some(Damaged { why: NotSealed::Newer(_), .. }) => {
            refuse_with(RefusalKind::Damaged, why, "deploy with that release, or with a later one")
        }
        Some(Damaged { path, .. }) => {
            let path = path.display();
            let hint = format!(
                "if the machine runs and boots what it should, move it away there: mv {path} {path}.damaged"
            );
            refuse_with(RefusalKind::Damaged, why, hint)
        }
    }
}

pub fn refuse_with(kind: RefusalKind, why: impl Into<String>, hint: impl Into<String>) -> Refusal {
    Refusal { kind, why: why.into(), hint: Some(hint.into()) }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_damaged_record_is_no_failure_of_the_moment() {
        for why in [NotSealed::NoChecksum, NotSealed::Newer(9)] {
            let damaged = Damaged { path: PathBuf::from("/x"), why };
            let refusal = failed(&anyhow::Error::from(damaged));
            assert_eq!(refusal.kind, RefusalKind::Damaged);
            assert!(refusal.hint.is_some());
        }
        assert_eq!(failed(&anyhow::anyhow!("PID 1 is busy")).kind, RefusalKind::Failed);
    }
}
