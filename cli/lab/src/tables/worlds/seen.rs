//! The results of worlds.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::World;
use crate::tables::kept;

/// The folder below the workspace's `target`.
const FOLDER: &str = "worlds";

/// The result of the story in a world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ending {
    /// The story completed.
    Told,
    /// The story failed in this step. It is a fault of `deploy`, and the scenario fails as well.
    Failed(String),
}

/// Stores a result; `None` deletes the previous one.
///
/// # Errors
/// When the file cannot be written.
pub fn keep(world: &World, seen: Option<&Ending>) -> Result<()> {
    kept::keep(FOLDER, &world.word(), seen)
}

/// The result of a world, if it was run.
///
/// # Errors
/// When its file cannot be read.
pub fn load(world: &World) -> Result<Option<Ending>> {
    kept::load(FOLDER, &world.word())
}
