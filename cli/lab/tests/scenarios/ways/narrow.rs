//! A user whom sudo allows to run the installed agent, and nothing else.

use anyhow::{Result, ensure};
use deploy_lab::hosts::programs::AGENT;
use deploy_lab::hosts::{Lab, access};
use deploy_lab::systems::{Fleet, Generation};

use super::{accepted, end_on_terminal, logins, on_terminal};
use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] = &[
    Scenario::new("a-user-who-may-run-only-the-agent-deploys", deploys),
    Scenario::new("a-system-that-takes-the-agent-from-its-user-is-rolled-back", loses),
    Scenario::new("a-user-who-may-run-only-the-agent-is-told-what-he-may-not", told),
];

/// The rule of `deploy.agent.user` in sudo's format.
const RULE: &str = "deploy ALL=(root) \
    NOPASSWD:NOSETENV: /run/current-system/sw/bin/deploy-agent serve, \
    NOPASSWD:NOSETENV: /run/current-system/sw/bin/deploy-agent serve --stdio\n";

/// frame1 with the agent, its user and the rule for it.
pub struct Narrow {
    pub scene: Scene,
    /// The agent in the operator's store.
    agent: String,
}

impl Narrow {
    /// Deploys once as root, because only root can install the agent and the rule.
    pub fn new(lab: &mut Lab) -> Result<Self> {
        let scene = Scene::new(lab)?;
        let agent = scene.mac.sh(&format!("nix-store --add {AGENT}"))?;
        let narrow = Self { scene, agent };
        let Self { scene, .. } = &narrow;
        scene.wants(narrow.system(2))?;
        scene.deploy("frame1")?.ends(0, &["committed"])?;
        let key = access::operator_key(&scene.mac)?;
        access::authorize_for(&scene.frame1, "deploy", "/home/deploy", &key)?;
        Ok(narrow)
    }

    /// A system with the agent, its user and the rule.
    pub fn system(&self, number: u32) -> Generation {
        let system = Generation::new("frame1", number).agent(&self.agent);
        system.user("deploy").sudoers(RULE)
    }

    /// Writes a fleet whose machine is deployed as that user.
    pub fn wants(&self, system: Generation) -> Result<()> {
        self.scene.has(Fleet::of("frame1", system).node("frame1", "sshUser", "deploy"))
    }
}

fn deploys(lab: &mut Lab) -> Result<()> {
    let narrow = Narrow::new(lab)?;
    let Narrow { scene, agent, .. } = &narrow;
    let refused = scene.mac.command(["ssh", "deploy@frame1", "sudo -n true"]).run()?;
    ensure!(refused.code != 0, "the rule lets everything through");
    narrow.wants(narrow.system(3).ballast(4))?;
    let before = scene.frame1.sh("ls /nix/store | grep -c deploy-agent")?;
    // The refused login may not be in the journal yet.
    scene.frame1.sh("journalctl --sync")?;
    let logged_in = logins(&scene.frame1)?;
    let plan = scene.deploy("plan frame1")?;
    plan.ends(0, &["wanted: "])?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    let count = logins(&scene.frame1)? - logged_in;
    ensure!(count == 3, "{count} logins for a plan and a changed deploy");
    let last = accepted(&scene.frame1)?.pop().unwrap_or_default();
    ensure!(last.contains("for deploy from"), "{last}");
    let record = scene.frame1.read("/nix/var/deploy-agent/attempt.json")?;
    ensure!(record.contains(&format!("\"agent\": \"{agent}\"")), "another agent: {record}");
    let after = scene.frame1.sh("ls /nix/store | grep -c deploy-agent")?;
    ensure!(before == after, "an agent was pushed");
    let marks = scene.frame1.sh("ls /nix/var/deploy-agent | grep push || :")?;
    ensure!(marks.is_empty(), "marks are left: {marks}");
    let wanted = scene.wanted()?;
    scene.deploy("frame1")?.ends(0, &["already up to date"])?;
    scene.deploy("status frame1")?.ends(0, &[&wanted])?;
    scene.deploy("logs frame1")?.ends(0, &["committed"])?;

    narrow.wants(narrow.system(4))?;
    scene.deploy("frame1 --build-on target")?.ends(0, &["committed"])?;
    scene.deploy("rollback frame1")?.ends(0, &["committed"])?;
    scene.ends_on(&wanted)
}

/// A system without the rule, and one without the agent.
fn loses(lab: &mut Lab) -> Result<()> {
    let narrow = Narrow::new(lab)?;
    let scene = &narrow.scene;
    let runs = scene.runs()?;
    let without_agent = Generation::new("frame1", 4).user("deploy").sudoers(RULE);
    for system in [narrow.system(3).sudoers(""), without_agent] {
        narrow.wants(system)?;
        let said = scene.deploy("frame1")?;
        said.ends(3, &["rolled back", "may not run the agent any more"])?;
        let now = scene.runs()?;
        ensure!(now == runs, "frame1 runs {now}, not {runs}");
    }
    scene.ends_on(&runs)
}

fn told(lab: &mut Lab) -> Result<()> {
    let narrow = Narrow::new(lab)?;
    let scene = &narrow.scene;
    narrow.wants(narrow.system(3))?;
    let only = "nothing there but the installed agent";
    scene.deploy("frame1 --dry-activate")?.ends(1, &["a dry run on frame1", only])?;
    scene.deploy(&format!("frame1 --agent {AGENT}"))?.ends(1, &["cannot be brought", only])?;
    // `deploy` must not ask for a password that would not help.
    let terminal = on_terminal(&scene.mac, "frame1 --ask-sudo-password")?;
    let said = end_on_terminal(terminal)?;
    said.ends(0, &["committed"])?;
    ensure!(!said.text.contains("sudo password"), "{}", said.text);
    Ok(())
}
