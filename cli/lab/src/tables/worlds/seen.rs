//! What was seen of a world.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::World;
use crate::tables::kept;

/// Below the workspace's `target`.
const FOLDER: &str = "worlds";

/// What came of the story there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ending {
    /// All of it.
    Told,
    /// It fails in this step: a fault of `deploy`, and the scenario fails as well.
    Failed(String),
}

/// Keeps what was seen, or with `None` forgets what was seen before.
///
/// # Errors
/// When the file cannot be written.
pub fn keep(world: &World, seen: Option<&Ending>) -> Result<()> {
    kept::keep(FOLDER, &world.word(), seen)
}

/// What was seen of a world, if it was run.
///
/// # Errors
/// When its file cannot be read.
pub fn load(world: &World) -> Result<Option<Ending>> {
    kept::load(FOLDER, &world.word())
}
