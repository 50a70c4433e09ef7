//! Making refusals.

use deploy_wire::{
    message::{Refusal, RefusalKind},
    sealed::NotSealed,
};

use crate::files::Damaged;

/// A refusal without a hint.
pub fn refuse(kind: RefusalKind, why: impl Into<String>) -> Refusal {
    Refusal { kind, why: why.into(), hint: None }
}

/// The refusal that a failure of the machine means.
pub fn failed(error: &anyhow::Error) -> Refusal {
    let why = format!("{error:#}");
    match error.downcast_ref::<Damaged>() {
        None => refuse(RefusalKind::Failed, why),
        Some(Damaged { why: NotSealed::Newer(_), .. }) => {
            refuse_with(RefusalKind::Failed, why, "deploy with that release, or with a later one")
        }
        Some(Damaged { path, .. }) => {
            let path = path.display();
            let hint = format!(
                "if the machine runs and boots what it should, move it away there: mv {path} {path}.damaged"
            );
            refuse_with(RefusalKind::Failed, why, hint)
        }
    }
}

/// A refusal with a hint.
pub fn refuse_with(kind: RefusalKind, why: impl Into<String>, hint: impl Into<String>) -> Refusal {
    Refusal { kind, why: why.into(), hint: Some(hint.into()) }
}
