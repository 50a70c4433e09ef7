//! A garbage collection right after the agent has found the closure to be complete.

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::systems::Generation;

use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] = &[Scenario::new(
    "garbage-collected-once-the-closure-was-found-to-be-there-takes-nothing-of-it",
    collected,
)];

/// Replaces `nix-store` in the first folder that the agent searches. `nix` acts by the name that it
/// is started with.
const REPLACE: &str = r#"
PATH=/run/current-system/systemd/bin:/run/current-system/sw/bin:/usr/bin:/bin
file=$(command -v nix-store)
file=$(readlink -f "$(dirname "$file")")/nix-store
mkdir /root/real
ln -s "$(readlink -f "$file")" /root/real/nix-store
rm "$file"
cat > "$file" <<'END'
#!/bin/sh
/root/real/nix-store "$@" || exit
[ "$1" != --check-validity ] || nix-collect-garbage >> /root/collected 2>&1
END
chmod 755 "$file"
"#;

fn collected(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.wants(Generation::new("frame1", 2))?;
    let wanted = scene.wanted()?;
    let garbage = scene.frame1.sh("echo garbage > /root/garbage; nix-store --add /root/garbage")?;
    scene.frame1.sh(REPLACE)?;
    scene.deploy("frame1")?.ends(0, &["frame1: committed"]).context("collected in between")?;
    let said = scene.frame1.read("/root/collected")?;
    ensure!(said.contains("store paths deleted"), "nothing was collected: {said}");
    scene.frame1.sh(&format!("[ ! -e {garbage} ]")).context("the garbage is there still")?;
    scene.ends_on(&wanted)
}
