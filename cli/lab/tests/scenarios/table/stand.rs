//! The hosts of one cell, and a deploy that is held in its phase.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::relay::{Direction, Relay, RoadSpec, Traffic};
use deploy_lab::hosts::{Admission, Lab, Link, wait};
use deploy_lab::systems::Lane;
use deploy_lab::tables::fault_table::{Fault, Phase};
use deploy_wire::phase::Phase as Recorded;
use deploy_wire::record::Record;
use deploy_wire::sealed;

use super::hold::{self, Fifo, Held, REACHED};
use super::lane;
use super::operator::Operator;
use super::settings;
use super::strike::Struck;
use crate::hostile::{self, User};
use crate::scene::{ANSWERS, Scene};

const RECORD: &str = "/nix/var/deploy-agent/attempt.json";

/// Slow enough to interrupt a push in the middle.
pub const ROAD: RoadSpec = RoadSpec { one_way: Duration::ZERO, mbit_per_second: Some(160) };

/// An operator, a machine, and the wanted system.
pub struct Stand {
    pub scene: Scene,
    pub lane: Lane,
    pub fault: Fault,
    pub phase: Phase,
    /// The system that the machine runs first.
    pub before: String,
    /// The wanted system.
    pub wanted: String,
    /// The system of another tool, which is in the machine's store.
    pub other: Option<String>,
    /// The state that a deploy without changes leaves.
    pub untouched: String,
    pub relay: Option<Arc<Relay>>,
    /// The hostile user on the machine, if any.
    pub user: Option<User>,
}

impl Stand {
    pub fn new(lab: &mut Lab, lane: Lane, fault: Fault, phase: Phase) -> Result<Self> {
        let scene = lane::scene(lab, lane, fault)?;
        let before = scene.frame1.sh("readlink /run/current-system")?;
        let other = match fault {
            Fault::OtherTool => Some(lane::other(lab, &scene, lane)?),
            _ => None,
        };
        let wanted = lane::wants(&scene, lane, fault, phase)?;
        let relay = match settings::needs_road(fault, phase) {
            true => Some(Arc::new(Relay::start(&scene.frame1, ROAD)?)),
            false => None,
        };
        let untouched = before.clone();
        let user = (lane == Lane::Hostile).then(|| beside_what_is_open(&scene)).transpose()?;
        Ok(Self { scene, lane, fault, phase, before, wanted, other, untouched, relay, user })
    }

    /// Begins a deploy and holds it in the phase.
    pub fn begin(&self) -> Result<(Operator, Held)> {
        let machine = &self.scene.frame1;
        let fifo = match self.phase {
            Phase::Ask | Phase::Push | Phase::Check => None,
            // The agent looks at /boot before the place that can be held.
            Phase::Stage if self.fault == Fault::BootFull => None,
            Phase::Stage => Some("check"),
            Phase::Arm => Some("arm"),
            Phase::Activate | Phase::Wait | Phase::RollBack => Some("activate"),
            Phase::Commit => Some("boot-loader"),
        };
        let fifo = fifo.map(|name| Fifo::new(machine, name)).transpose()?;
        if let (Phase::Ask, Some(relay)) = (self.phase, &self.relay) {
            relay.set(Direction::FromHost, Traffic::Held);
        }
        let mut deploy = Operator::new(self.scene.begin("frame1 --json")?);
        let held = match (self.phase, &self.relay, fifo) {
            (Phase::Ask, Some(relay), _) => hold::first_answer(relay, &mut deploy)?,
            (Phase::Push | Phase::Stage, Some(relay), _) => {
                hold::middle_of_push(relay, &mut deploy)?
            }
            (Phase::Check, ..) => {
                deploy.until("it checks", || Ok(self.is_recorded(Recorded::Checking)))?;
                Held::Check(machine.clone())
            }
            (Phase::Wait, _, Some(fifo)) => {
                let held = fifo.reached(&mut deploy)?;
                machine.admit(Admission::OldOnly)?;
                held.go()?;
                deploy.until("it waits", || Ok(self.is_recorded(Recorded::Waiting)))?;
                Held::Login(machine.clone())
            }
            (Phase::RollBack, _, Some(fifo)) => {
                let held = fifo.reached(&mut deploy)?;
                held.go_to_the_next(&mut deploy)?
            }
            (_, _, Some(fifo)) => fifo.reached(&mut deploy)?,
            (phase, ..) => anyhow::bail!("nothing holds {phase}"),
        };
        Ok((deploy, held))
    }

    fn is_recorded(&self, phase: Recorded) -> bool {
        self.record().is_ok_and(|record| record.is_some_and(|record| record.phase == phase))
    }

    fn record(&self) -> Result<Option<Record>> {
        if !self.scene.frame1.root().join(&RECORD[1..]).exists() {
            return Ok(None);
        }
        let text = self.scene.frame1.read(RECORD)?;
        sealed::open(text.as_bytes()).map(Some).with_context(|| format!("{RECORD} says {text}"))
    }

    /// The record of the held attempt; `None` before it is staged.
    pub fn attempt(&self) -> Result<Option<Record>> {
        self.record()
    }

    /// Checks that the deploy was in the phase, by the machine's record, and describes it.
    pub fn in_phase(&self, at: Option<&Record>) -> Result<String> {
        let must = match self.phase {
            Phase::Ask | Phase::Push | Phase::Stage => None,
            Phase::Arm => Some(Recorded::Arming),
            Phase::Activate => Some(Recorded::Activating),
            Phase::Check => Some(Recorded::Checking),
            Phase::Wait => Some(Recorded::Waiting),
            Phase::Commit => Some(Recorded::Committing),
            Phase::RollBack => Some(Recorded::RollingBack),
        };
        let was = at.map(|record| record.phase);
        ensure!(was == must, "the record was in {was:?}, not in {must:?}");
        Ok(was.map_or("no record yet".into(), |phase| format!("record: {phase}")))
    }

    /// Causes the fault and releases the deploy.
    pub fn strike(&mut self, deploy: &mut Operator, held: Held) -> Result<Struck> {
        super::strike::strike(self, deploy, held)
    }

    /// Removes what the fault left and what would prevent looking at the machine.
    pub fn heal(&self) -> Result<()> {
        if let Some(relay) = &self.relay {
            relay.set(Direction::FromHost, Traffic::Passes);
            relay.set(Direction::ToHost, Traffic::Passes);
        }
        self.scene.frame1.admit(Admission::All)?;
        self.scene.frame1.link(Link::Joined)
    }

    /// Waits until the attempt has ended on its own, and returns its record.
    pub fn ended(&self, at: Option<&Record>, deadline: Duration) -> Result<Option<Record>> {
        wait::until("the attempt is over", deadline, || {
            Ok(self.record()?.is_none_or(|record| !record.is_open()))
        })
        .with_context(|| format!("{:#?}", self.record()))?;
        let record = self.record()?;
        let same = at.zip(record.as_ref()).is_none_or(|(at, now)| at.attempt == now.attempt);
        ensure!(same, "another attempt has the record: {record:#?}");
        // The record of a second operator does not count.
        Ok(record.filter(|record| record.wanted.to_string() == self.wanted))
    }

    /// The running system, asked over SSH.
    pub fn runs(&self) -> Result<String> {
        self.scene.frame1.wait_for_ssh(ANSWERS)?;
        self.scene.runs()
    }

    /// The boot default.
    pub fn boots(&self) -> Result<String> {
        self.scene.boots()
    }

    /// Waits for a text in the machine's journal.
    pub fn logged(&self, text: &str) -> Result<()> {
        wait::until(&format!("the journal says {text}"), REACHED, || {
            Ok(self.scene.frame1.journal(&[])?.contains(text))
        })
    }
}

/// A hostile user who holds every lock that they can, on a machine where an older agent left its
/// locks open.
fn beside_what_is_open(scene: &Scene) -> Result<User> {
    scene.frame1.sh(hostile::OPEN)?;
    let user = User::begin(&scene.frame1)?;
    let locks = user.locks()?;
    ensure!(locks.len() == 3, "he holds {locks:?}");
    Ok(user)
}
