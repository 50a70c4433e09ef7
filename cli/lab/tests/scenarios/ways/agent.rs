//! The sources of the agent's program.

use anyhow::{Result, ensure};
use deploy_lab::hosts::{Lab, programs};
use deploy_lab::systems::{FOLDER, PAIR};

use super::{commit, runs_generation, second};
use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] = &[
    Scenario::new("the-agent-runs-where-there-is-nothing-else", alone),
    Scenario::new("the-agent-that-is-named-is-the-one-that-runs", named),
];

/// Runs the agent in a root with its file alone: no linker, no library, no shell, no /proc.
fn alone(lab: &mut Lab) -> Result<()> {
    let mac = lab.prepared(&PAIR, "mac")?;
    mac.boot()?;
    mac.wait_until_up()?;
    programs::install(&mac)?;
    let program = "/opt/deploy/libexec/deploy-agent-x86_64-linux";
    mac.sh(&format!("mkdir /root/empty; cp {program} /root/empty/deploy-agent"))?;
    let version = mac.sh("chroot /root/empty /deploy-agent --version")?;
    ensure!(version.starts_with("deploy-agent ") && version.contains("wire"), "{version}");
    // The control: a program that needs a linker does not start there.
    mac.sh("cp /usr/bin/true /root/empty/true")?;
    let dynamic = mac.command(["chroot", "/root/empty", "/true"]).run()?;
    ensure!(dynamic.code == 127, "{dynamic:?}");
    Ok(())
}

fn named(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.wants(second())?;
    let beside = "/opt/deploy/libexec/deploy-agent-x86_64-linux";
    scene.mac.sh(&format!("mv {beside} /root/my-agent"))?;
    let none = scene.deploy("frame1")?;
    none.ends(1, &["no agent for x86_64-linux", "nothing was changed", "--agent", "libexec/"])?;
    scene.deploy("frame1 --agent /root/no-agent")?.ends(1, &["no agent at /root/no-agent"])?;
    runs_generation(&scene.frame1, 1)?;
    scene.deploy("frame1 --agent /root/my-agent")?.ends(0, &["committed"])?;
    runs_generation(&scene.frame1, 2)?;
    // With an agent from the flake, which is a derivation that is built where the closure is built.
    scene.wants(deploy_lab::systems::Generation::new("frame1", 3))?;
    scene.mac.sh(&format!(
        "cp /root/my-agent {FOLDER}/agent; cd {FOLDER}; git add agent; \
         sed -i 's|      deploy = {{|      deploy = {{ agent.x86_64-linux = agent;|; \
                 s|^    in$|      agent = derivation {{ name = \"deploy-agent\"; system = \"x86_64-linux\"; \
                 builder = \"/bin/sh\"; PATH = \"/usr/bin:/bin\"; args = [ \"-c\" \"mkdir -p $out/bin; cp ${{./agent}} $out/bin/deploy-agent\" ]; }};\\n    in|' flake.nix"
    ))?;
    commit(&scene.mac)?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    runs_generation(&scene.frame1, 3)
}
