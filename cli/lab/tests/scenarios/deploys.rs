//! The main job: `deploy frame1`.

use anyhow::{Result, ensure};
use deploy_lab::lab::Lab;
use deploy_lab::systems::Generation;

use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] =
    &[Scenario::new("a-deploy-runs-and-boots-and-the-second-says-up-to-date", twice)];

fn twice(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.wants(Generation::new("frame1", 2))?;
    let wanted = scene.wanted()?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    ensure!(scene.frame1.sh("cat /etc/generation")? == "2", "generation 2 does not run");
    scene.deploy("frame1")?.ends(0, &["already up to date"])?;
    scene.ends_on(&wanted)
}
