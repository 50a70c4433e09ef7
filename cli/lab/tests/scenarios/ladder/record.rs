//! Damaged records. The machine stays on the system that it booted, and every command reports the
//! damage.

use anyhow::{Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::systems::Generation;

use crate::harness::Scenario;
use crate::scene::{ANSWERS, Scene};

pub const ALL: &[Scenario] = &[Scenario::new(
    "a-damaged-record-leaves-the-machine-on-its-boot-default-and-is-named",
    damaged,
)];

const RECORD: &str = "/nix/var/deploy-agent/attempt.json";

/// A truncated record, one without its checksum, one with a flipped bit that is still valid JSON
/// (`1` and `3` differ by one bit), one with a flipped bit in a field's name, and one that is no
/// text.
const DAMAGES: [&str; 5] = [
    "truncate -s 200 attempt.json",
    "sed -i '$d' attempt.json",
    "sed -i 's/\"since\": 1/\"since\": 3/' attempt.json",
    "sed -i 's/\"version\"/\"wersion\"/' attempt.json",
    "head -c 500 /dev/urandom > attempt.json",
];

fn damaged(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.wants(Generation::new("frame1", 2))?;
    scene.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    let wanted = scene.wanted()?;
    let whole = scene.frame1.read(RECORD)?;
    for damage in DAMAGES {
        scene.frame1.write(RECORD, whole.clone(), 0o644)?;
        scene.frame1.sh(&format!("cd /nix/var/deploy-agent; {damage}; sync -f ."))?;
        let same = scene.frame1.read(RECORD).is_ok_and(|text| text == whole);
        ensure!(!same, "{damage} damaged nothing");
        scene.frame1.power_cut_and_boot()?;
        scene.frame1.wait_for_ssh(ANSWERS)?;
        for command in ["boot", "status"] {
            let agent = format!("/nix/var/nix/gcroots/deploy-agent/agent {command}");
            let said = scene.frame1.command(["sh", "-c", &agent]).run()?;
            let text = format!("{}{}", said.stdout, said.stderr);
            ensure!(said.code == 1, "{damage}, {command}: exit code {}: {text}", said.code);
            for part in [
                &format!("runs:      {wanted}"),
                &format!("boots:     {wanted}"),
                &RECORD.to_owned(),
            ] {
                ensure!(text.contains(part.as_str()), "{damage}, {command}: no {part} in {text}");
            }
        }
        scene.deploy("status frame1")?.ends(6, &[RECORD, &format!("boots {wanted}")])?;
        ensure!(scene.runs()? == wanted, "frame1 runs {}", scene.runs()?);
    }
    scene.frame1.sh(&format!("mv {RECORD} {RECORD}.damaged"))?;
    scene.wants(Generation::new("frame1", 3))?;
    scene.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    scene.ends_on(&scene.wanted()?)
}
