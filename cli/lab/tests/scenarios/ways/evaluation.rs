//! What `deploy` asks Nix, by a record of every `nix` that was started.

use anyhow::{Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::systems::{FOLDER, Fleet, Generation};

use super::one_more;
use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] =
    &[Scenario::new("all-machines-are-one-evaluation-and-a-clean-tree-is-none", once)];

const RECORD: &str = "/root/nix-was-asked";

/// A `nix` in front of the real one that writes down its command and what it is about, a line
/// for each start.
const RECORDER: &str = r#"#!/bin/sh
for last; do :; done
case $1 in
--extra-experimental-features) echo "$3 $last" ;;
*) echo "$1 $last" ;;
esac >> /root/nix-was-asked
exec /usr/bin/nix "$@"
"#;

struct Asked(Vec<String>);

impl Asked {
    fn of(scene: &Scene) -> Result<Self> {
        let text = scene.mac.read(RECORD)?;
        scene.mac.write(RECORD, "", 0o644)?;
        Ok(Self(text.lines().map(str::to_owned).collect()))
    }

    fn count(&self, command: &str) -> usize {
        self.0.iter().filter(|line| line.split(' ').next() == Some(command)).count()
    }

    /// Evaluations, however they are asked for: a build of an attribute is one as well.
    fn evaluations(&self) -> usize {
        let of_attribute = |line: &&String| {
            line.starts_with("build ") && !line.ends_with(".drv^out")
                || line.starts_with("flake ") && line.contains('#')
        };
        self.count("eval") + self.0.iter().filter(of_attribute).count()
    }
}

fn once(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let _frame2 = one_more(lab, &scene.mac, "frame2")?;
    scene.mac.write("/usr/local/bin/nix", RECORDER, 0o755)?;
    scene.mac.write(RECORD, "", 0o644)?;
    let fleet = |number| {
        ["frame1", "frame2"].into_iter().fold(Fleet::default(), |fleet, name| {
            fleet.machine(name, Generation::new(name, number))
        })
    };
    let run = |args: &str, said: &str| -> Result<Asked> {
        let script = format!(
            "cd {FOLDER}; PATH=/usr/local/bin:$PATH exec {} {args}",
            deploy_lab::hosts::programs::DEPLOY
        );
        let output = scene.mac.command(["sh", "-c", &script]).run()?;
        crate::scene::Said::of(&output).ends(0, &[said])?;
        Asked::of(&scene)
    };
    scene.has(fleet(2))?;
    let asked = run("frame1 frame2", "frame2: committed")?;
    ensure!(asked.evaluations() == 1, "two machines: {:#?}", asked.0);
    ensure!(asked.count("build") == 2, "one build each: {:#?}", asked.0);

    // The same tree, again: nothing is evaluated, nothing is built.
    let asked = run("frame1 frame2", "frame2: already up to date")?;
    ensure!(asked.evaluations() == 0 && asked.count("build") == 0, "again: {:#?}", asked.0);

    // Other arguments may mean other inputs.
    let asked = run("frame1 frame2 -- --impure", "already up to date")?;
    ensure!(asked.evaluations() == 1, "other arguments: {:#?}", asked.0);

    // A dirty tree has no name to keep its evaluation under.
    scene.mac.sh(&format!("echo '# changed' >> {FOLDER}/flake.nix"))?;
    for _ in 0..2 {
        let asked = run("frame1 frame2", "already up to date")?;
        ensure!(asked.evaluations() == 1, "a dirty tree: {:#?}", asked.0);
    }
    super::commit(&scene.mac)?;
    let asked = run("frame1 frame2", "already up to date")?;
    ensure!(asked.evaluations() == 1, "another commit: {:#?}", asked.0);

    // A derivation that was collected is evaluated again.
    scene.mac.sh("nix store gc")?;
    let asked = run("frame1 frame2", "already up to date")?;
    ensure!(asked.evaluations() == 1, "after a collection: {:#?}", asked.0);
    Ok(())
}
