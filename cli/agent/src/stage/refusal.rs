//! Making refusals.

use deploy_wire::message::{Refusal, RefusalKind};

/// A refusal without a hint.
pub fn refuse(kind: RefusalKind, why: impl Into<String>) -> Refusal {
    Refusal { kind, why: why.into(), hint: None }
}

/// A refusal with a hint.
pub fn refuse_with(kind: RefusalKind, why: impl Into<String>, hint: impl Into<String>) -> Refusal {
    Refusal { kind, why: why.into(), hint: Some(hint.into()) }
}
