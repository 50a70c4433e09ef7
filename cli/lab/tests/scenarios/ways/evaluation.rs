//! What `deploy` asks Nix, by a log of every started `nix`.

use anyhow::{Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::systems::{FOLDER, Fleet, Generation};

use super::one_more;
use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] =
    &[Scenario::new("all-machines-are-one-evaluation-and-a-known-tree-is-none", once)];

const RECORD: &str = "/root/nix-was-asked";

/// A wrapper of `nix` that logs its command and subject, one line per start.
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

    /// The number of evaluations, including those of a `nix build`.
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
    // frame2 is built for before its turn, and in its turn nothing is left to build.
    ensure!(asked.count("build") == 3, "one build each: {:#?}", asked.0);

    // The same tree again: nothing is evaluated or built.
    let asked = run("frame1 frame2", "frame2: already up to date")?;
    ensure!(asked.evaluations() == 0 && asked.count("build") == 0, "again: {:#?}", asked.0);

    // Other arguments may change the inputs.
    let asked = run("frame1 frame2 -- --impure", "already up to date")?;
    ensure!(asked.evaluations() == 1, "other arguments: {:#?}", asked.0);

    // A tree with changes is evaluated once for the same contents.
    for (line, evaluations) in [("# one", 1), ("# one", 0), ("# two", 1), ("# one", 0)] {
        scene.mac.sh(&format!(
            "cd {FOLDER}; git checkout --quiet flake.nix; echo '{line}' >> flake.nix"
        ))?;
        let asked = run("frame1 frame2", "already up to date")?;
        ensure!(asked.evaluations() == evaluations, "{line}: {:#?}", asked.0);
    }
    super::commit(&scene.mac)?;
    let asked = run("frame1 frame2", "already up to date")?;
    ensure!(asked.evaluations() == 1, "another commit: {:#?}", asked.0);

    // A derivation that was garbage collected is evaluated again.
    scene.mac.sh("nix store gc")?;
    let asked = run("frame1 frame2", "already up to date")?;
    ensure!(asked.evaluations() == 1, "after a collection: {:#?}", asked.0);
    Ok(())
}
