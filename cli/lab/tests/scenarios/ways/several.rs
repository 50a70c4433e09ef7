//! Several machines in one run.

use anyhow::{Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::systems::{Fleet, Generation};

use super::{end_on_terminal, on_terminal, one_more, runs_generation};
use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] =
    &[Scenario::new("all-machines-but-the-manual-ones-are-deployed-after-a-question", all)];

pub(super) fn fleet(number: u32) -> Fleet {
    ["frame1", "frame2", "frame3"]
        .into_iter()
        .fold(Fleet::default(), |fleet, name| fleet.machine(name, Generation::new(name, number)))
        .node("frame3", "tags", vec!["manual"])
}

fn all(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let frame2 = one_more(lab, &scene.mac, "frame2")?;
    scene.has(fleet(2))?;
    // Without a terminal `deploy` cannot ask, and evaluates nothing.
    let said = scene.deploy("")?;
    said.ends(2, &["--yes", "nothing was changed"])?;
    ensure!(!said.text.contains("evaluat"), "{}", said.text);

    let ask = |answer: &str| -> Result<_> {
        let mut terminal = on_terminal(&scene.mac, "")?;
        terminal.wait_for("deploy to all of them? [y/N]")?;
        let shown = terminal.shown()?;
        ensure!(
            shown.contains("frame1 at frame1") && shown.contains("frame2 at frame2"),
            "{shown}"
        );
        ensure!(!shown.contains("frame3"), "the manual one is in the list:\n{shown}");
        terminal.types(answer)?;
        end_on_terminal(terminal)
    };
    ask("n\n")?.ends(1, &["nothing was changed"])?;
    runs_generation(&scene.frame1, 1)?;
    runs_generation(&frame2, 1)?;
    ask("y\n")?.ends(0, &["frame1: committed", "frame2: committed"])?;
    runs_generation(&scene.frame1, 2)?;
    runs_generation(&frame2, 2)?;

    scene.has(fleet(3))?;
    let said = scene.deploy("--yes")?;
    said.ends(0, &["frame1: committed", "frame2: committed"])?;
    let at = |text: &str| said.text.find(text).unwrap_or(usize::MAX);
    ensure!(at("frame1: committed") < at("frame2: logging in"), "not one after the other");
    scene
        .deploy(". --yes")?
        .ends(0, &["frame1: already up to date", "frame2: already up to date"])?;
    // An unreachable machine is reported; the others are deployed.
    scene.has(fleet(4))?;
    scene.frame1.power_cut()?;
    scene.deploy("--yes")?.ends(4, &["cannot log in to frame1", "frame2: committed"])?;
    runs_generation(&frame2, 4)
}
