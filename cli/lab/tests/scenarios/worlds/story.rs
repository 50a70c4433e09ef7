//! The main story, which must succeed in each world.

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::programs::AGENT;
use deploy_lab::hosts::{HostSpec, Lab, Places};
use deploy_lab::systems::{BASELINE, Fleet, Generation, Unit, build_and_copy, install_system};
use deploy_lab::tables::worlds::{Axis, World};

use super::machine::{self, User};
use super::operator::Operator;
use crate::scene::{ANSWERS, Scene};
use crate::ways::runs_generation;

/// The unit of `deploy.agent`.
const BOOT: &str = "[Unit]
ConditionPathExists=!/run/deploy-agent/agent
After=local-fs.target
X-RestartIfChanged=false
X-StopIfChanged=false
[Service]
Type=oneshot
RemainAfterExit=true
ExecStart=/run/current-system/sw/bin/deploy-agent boot
";

/// A world that is set up and runs generation 1.
pub struct Story {
    scene: Scene,
    world: World,
    operator: Operator,
    /// The agent in the operator's store, if the machine has the module.
    agent: Option<String>,
}

impl Story {
    pub fn begin(lab: &mut Lab, world: World) -> Result<Self> {
        let mut mac = HostSpec::named("mac")?;
        if world.of(Axis::Nix) != "trixie" {
            mac = mac.with_programs_in(Places::OtherNix);
        }
        let mac = lab.prepared_as(&BASELINE, "mac", mac)?;
        let scene = Scene::switched_on(mac, lab.prepared(&BASELINE, "frame1")?)?;
        let agent = match world.of(Axis::Module) {
            "absent" => None,
            _ => Some(scene.mac.sh(&format!("nix-store --add {AGENT}"))?),
        };
        let operator = Operator::of(&scene.mac, &world);
        let story = Self { scene, world, operator, agent };
        story.set_up()?;
        Ok(story)
    }

    fn set_up(&self) -> Result<()> {
        let Scene { frame1, .. } = &self.scene;
        let (loader, clear) = machine::loader(&self.world);
        let with_module = self.world.of(Axis::Module) == "rebooted";
        machine::set_up(frame1, &self.world)?;
        if with_module || clear != ":" {
            self.wants(self.system(1, with_module))?;
            let system = self.as_root(|| build_and_copy(&self.scene.mac, frame1))?;
            frame1.sh(clear)?;
            install_system(frame1, &system, loader)?;
            frame1.sync()?;
            self.boots()?;
        }
        for system in [self.system(2, true), self.bad()] {
            self.wants(system)?;
            self.operator.build()?;
        }
        machine::set_up_until_boot(frame1, &self.world)?;
        self.operator.set_up()
    }

    /// Restores root's normal login while the lab itself uses it.
    fn as_root<T>(&self, act: impl FnOnce() -> Result<T>) -> Result<T> {
        let Scene { frame1, .. } = &self.scene;
        let shell = frame1.sh("getent passwd root | cut -d: -f7")?;
        let noise = "mkdir -p /root/away; for file in .bashrc .zshenv .config .tcshrc .ssh/rc; do \
                     [ ! -e /root/$file ] || mv /root/$file /root/away/${file#.ssh/}; done";
        frame1.sh(&format!("usermod --shell /bin/bash root; {noise}"))?;
        let done = act();
        let back = "for file in .bashrc .zshenv .config .tcshrc; do \
                    [ ! -e /root/away/$file ] || mv /root/away/$file /root/$file; done; \
                    [ ! -e /root/away/rc ] || mv /root/away/rc /root/.ssh/rc";
        frame1.sh(&format!("usermod --shell {shell} root; {back}"))?;
        done
    }

    /// A working system, with the module if the world has it.
    fn system(&self, number: u32, with_module: bool) -> Generation {
        let system = Generation::new("frame1", number);
        let system = system.boot_loader_step(machine::loader_step(&self.world));
        match &self.agent {
            Some(agent) if with_module => {
                let boot = Unit::new(BOOT).wanted_by("multi-user.target");
                system.agent(agent).unit("deploy-agent-boot.service", boot)
            }
            _ => system,
        }
    }

    /// A system with a failing unit.
    fn bad(&self) -> Generation {
        let fails = Unit::service("ExecStart=/run/current-system/sw/bin/false");
        self.system(3, true).unit("broken.service", fails)
    }

    fn wants(&self, system: Generation) -> Result<()> {
        let User { name, sudo, .. } = User::of(&self.world);
        let fleet = Fleet::of("frame1", system).node("frame1", "sshUser", name);
        let fleet = match sudo {
            Some(sudo) => fleet.node("frame1", "sudo", sudo),
            None => fleet,
        };
        let asks = self.world.of(Axis::Root) == "sudo, password";
        self.scene.has(fleet.node("frame1", "interactiveSudo", asks))
    }

    /// Cuts the power and boots. Only the machine-id is synced before: a committed deploy must be
    /// on the disk already, wherever the boot loader's files are.
    fn boots(&self) -> Result<()> {
        let Scene { frame1, .. } = &self.scene;
        if self.world.of(Axis::MachineId) == "new" {
            frame1.write("/etc/machine-id", "", 0o644)?;
            frame1.sh("sync /etc/machine-id")?;
        }
        let before = frame1.sh("cat /etc/machine-id")?;
        frame1.power_cut_and_boot()?;
        frame1.wait_until_up()?;
        frame1.wait_for_ssh(ANSWERS)?;
        let kept = self.world.of(Axis::MachineId) == "kept";
        ensure!(kept == (frame1.sh("cat /etc/machine-id")? == before), "the machine-id");
        Ok(())
    }

    /// Runs the story. An error names the step that fails.
    pub fn tell(self) -> Result<()> {
        let Scene { frame1, .. } = &self.scene;
        let noisy = self.world.has((Axis::StartUp, "noisy"));
        let noise = if noisy { "a start-up file there prints `welcome to frame1" } else { "" };
        self.wants(self.system(2, true))?;
        self.step("the first deploy", "frame1", 0, &["frame1: committed", noise], 2)?;
        self.step("the same again", "frame1", 0, &["already up to date"], 2)?;
        if self.world.of(Axis::Module) != "installed" {
            self.boots()?;
            machine::set_up_until_boot(frame1, &self.world)?;
            runs_generation(frame1, 2).context("the boot")?;
        }
        self.wants(self.bad())?;
        self.step("the bad system", "frame1", 3, &["rolled back", "broken.service"], 2)?;
        self.step("the rollback", "rollback frame1", 0, &["committed"], 1)?;
        let runs = frame1.sh("readlink /run/current-system")?;
        self.step("the status", "status frame1", 0, &[&runs], 1)
    }

    /// Runs `deploy ARGS`, which ends with `code` and reports `parts`; then `generation` runs.
    fn step(
        &self,
        what: &str,
        args: &str,
        code: i32,
        parts: &[&str],
        generation: u32,
    ) -> Result<()> {
        let said = self.operator.deploys(args);
        let ended = said.and_then(|said| said.ends(code, parts));
        ended
            .and_then(|()| runs_generation(&self.scene.frame1, generation))
            .context(what.to_owned())
    }
}
