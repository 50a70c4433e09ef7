//! A check of the flake that fails decides over the deploy.
use crate::harness::Scenario;
pub const ALL: &[Scenario] = &[];
