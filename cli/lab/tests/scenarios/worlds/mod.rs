//! The main story in each of the worlds of docs/where-it-works.md: one scenario each.

mod machine;
mod operator;
mod refusals;
mod story;

use anyhow::{Context, Result};
use deploy_lab::hosts::{Lab, Places};
use deploy_lab::tables::worlds::{Axis, Ending, World, all, keep};

use self::story::Story;
use crate::harness::Scenario;

pub use self::refusals::ALL;

/// A scenario for each world.
pub fn scenarios() -> Vec<Scenario> {
    let scenario = |world: World| {
        let programs = match world.of(Axis::Nix) {
            "trixie" => Places::Debian,
            _ => Places::OtherNix,
        };
        let name = format!("the-main-story-in-{}", world.word());
        Scenario::world(name, world.number).with_programs(programs)
    };
    all().unwrap_or_default().into_iter().map(scenario).collect()
}

/// Runs the story in the world with this number.
pub fn run(lab: &mut Lab, number: usize) -> Result<()> {
    let world = all()?.swap_remove(number - 1);
    keep(&world, None)?;
    let told = Story::begin(lab, world.clone())?.tell();
    let ending = match &told {
        Ok(()) => Ending::Told,
        Err(error) => Ending::Failed(error.to_string()),
    };
    keep(&world, Some(&ending))?;
    told.with_context(|| format!("{world:?}"))
}
