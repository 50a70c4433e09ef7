//! The hosts of one cell, and a deploy by deploy-rs that is held in its phase.

use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use deploy_lab::bench::deploy_rs;
use deploy_lab::hosts::relay::{Direction, Relay, Traffic};
use deploy_lab::hosts::{Admission, Lab, Link, wait};
use deploy_lab::systems::{self, FOLDER, Generation};
use deploy_lab::tables::fault_table::Fault;
use deploy_lab::tables::fault_table::peer::{Phase, Row};

use super::state::State;
use super::{logins, settings};
use crate::scene::Scene;
use crate::table::hold::{self, Fifo, Held, REACHED};
use crate::table::operator::Operator;
use crate::table::stand::ROAD;

/// An operator, a machine that deploy-rs has deployed to, and the wanted system.
pub struct Stand {
    pub scene: Scene,
    pub row: Row,
    pub phase: Phase,
    /// The state of the machine before the deploy.
    pub before: State,
    /// The wanted system.
    pub wanted: String,
    /// The system of another tool, which is in the machine's store.
    pub other: Option<String>,
    pub relay: Option<Arc<Relay>>,
}

impl Stand {
    pub fn new(lab: &mut Lab, row: Row, phase: Phase) -> Result<Self> {
        let scene = Scene::new(lab)?;
        deploy_rs::install(&scene.mac, &scene.frame1)?;
        scene.has(settings::well(2))?;
        begin(&scene)?.end()?.context("deploy-rs")?.success()?;
        // A cut must lose what the cell's own deploy wrote, and nothing older.
        scene.frame1.sync()?;
        let before = State::of(&scene.frame1)?;
        let other = match row {
            Row::Of(Fault::OtherTool) => {
                let other = systems::build(lab, &Generation::new("frame1", 9))?;
                systems::closure(lab, &scene.frame1, &[&other])?;
                Some(other)
            }
            _ => None,
        };
        logins::arrange(&scene, row)?;
        scene.has(settings::fleet(row, phase, 3))?;
        let wanted = scene.wanted()?;
        let relay = match settings::needs_road(row, phase) {
            true => Some(Arc::new(Relay::start(&scene.frame1, ROAD)?)),
            false => None,
        };
        Ok(Self { scene, row, phase, before, wanted, other, relay })
    }

    /// Begins a deploy and holds it in the phase.
    pub fn begin(&self) -> Result<(Operator, Held)> {
        let machine = &self.scene.frame1;
        let fifo = match self.phase {
            Phase::Push => None,
            Phase::SetProfile => Some("check"),
            Phase::Wait if self.answers_late() => Some("answer"),
            Phase::Activate | Phase::Wait | Phase::RollBack => Some("activate"),
        };
        let fifo = fifo.map(|name| Fifo::new(machine, name)).transpose()?;
        let mut deploy = begin(&self.scene)?;
        let Some(fifo) = fifo else {
            let relay = self.relay.as_ref().context("a road")?;
            let held = hold::middle_of_push(relay, &mut deploy)?;
            return Ok((deploy, held));
        };
        let held = fifo.reached(&mut deploy)?;
        if self.answers_late() {
            return Ok((deploy, held));
        }
        // The second login, which waits for the end of the activation.
        deploy.until("its waiter has logged in", || self.moves("wait"))?;
        let held = match self.phase {
            Phase::Wait => {
                machine.admit(Admission::OldOnly)?;
                held.go()?;
                deploy.until("it waits", || Ok(State::of(machine)?.canary))?;
                Held::Login(machine.clone())
            }
            Phase::RollBack => {
                machine.admit(Admission::OldOnly)?;
                let held = held.go_to_the_next(&mut deploy)?;
                let gives_up = || Ok(deploy.printed()?.contains("Connection timed out"));
                wait::until("its confirmation is given up", REACHED, gives_up)?;
                machine.admit(Admission::All)?;
                held
            }
            _ => held,
        };
        Ok((deploy, held))
    }

    fn answers_late(&self) -> bool {
        self.row == Row::Of(Fault::AnswerLost)
    }

    /// Checks that the deploy is in its phase, by the state of the machine, and describes that
    /// state.
    pub fn in_phase(&self) -> Result<String> {
        let state = State::of(&self.scene.frame1)?;
        let (before, wanted) = (&self.before.runs, &self.wanted);
        let (set, loader, runs, canary) = match self.phase {
            Phase::Push => (false, before, before, false),
            Phase::SetProfile => (true, before, before, false),
            Phase::Activate => (true, wanted, before, false),
            Phase::Wait => (true, wanted, wanted, !self.answers_late()),
            Phase::RollBack => (false, before, wanted, true),
        };
        let is_set = state.profile != self.before.profile;
        let stands = is_set == set
            && &state.loader == loader
            && &state.runs == runs
            && state.canary == canary;
        ensure!(stands, "it is not in {}: {state:?}, wanted {wanted}", self.phase);
        Ok(format!("profile {}, canary {canary}", state.profile))
    }

    /// Deploys another system as another operator.
    pub fn second(&self) -> Result<i32> {
        self.scene.has(settings::well(4))?;
        let mut second = begin(&self.scene)?;
        if second.ends()? != Some(true) {
            bail!("the second deploy does not end: {}", second.printed()?);
        }
        Ok(second.end()?.context("it was not killed")?.code)
    }

    /// Removes what the fault left and what would prevent looking at the machine.
    pub fn heal(&self) -> Result<()> {
        if let Some(relay) = &self.relay {
            relay.set(Direction::FromHost, Traffic::Passes);
            relay.set(Direction::ToHost, Traffic::Passes);
        }
        let machine = &self.scene.frame1;
        machine.admit(Admission::All)?;
        // A machine that is off has no cable.
        if machine.is_on() { machine.link(Link::Joined) } else { Ok(()) }
    }
}

fn begin(scene: &Scene) -> Result<Operator> {
    let line = format!("cd {FOLDER} && exec {} .#frame1", deploy_rs::DEPLOY);
    Ok(Operator::new(scene.mac.command(["sh", "-c", &line]).spawn()?))
}
