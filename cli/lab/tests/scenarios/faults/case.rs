//! One fault on real hosts: deploys that can be held, broken and examined.

use std::ops::Deref;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::{Admission, Lab, Running, wait};
use deploy_lab::systems::Lane;
use deploy_wire::outcome::End;
use deploy_wire::phase::Phase;
use deploy_wire::record::Record;
use deploy_wire::sealed;

use super::hold::{Held, Hold, Place};
use super::wanted::Wanted;
use crate::scene::{Scene, end};

const RECORD: &str = "/nix/var/deploy-agent/attempt.json";

/// The limit until a phase that begins on its own. Evaluation, build and push may come before it,
/// on a busy machine.
const NEXT_PHASE: Duration = Duration::from_secs(150);

/// An operator, a machine, and the system that the machine ran first.
pub struct Case {
    scene: Scene,
    lane: Lane,
    pub before: String,
}

impl Deref for Case {
    type Target = Scene;

    fn deref(&self) -> &Scene {
        &self.scene
    }
}

impl Case {
    pub fn new(lab: &mut Lab, lane: Lane) -> Result<Self> {
        let scene = Scene::of(lab, lane.set())?;
        scene.frame1.wait_for_ssh(NEXT_PHASE)?;
        let before = scene.runs()?;
        Ok(Self { scene, lane, before })
    }

    /// Writes the flake and returns its system.
    pub fn wants(&self, wanted: &Wanted) -> Result<String> {
        wanted.write(&self.scene.mac, self.lane)?;
        self.wanted()
    }

    /// Begins a deploy that is held in its activation.
    pub fn begin_held(&self) -> Result<(Running, Held)> {
        self.begin_held_at(Place::Activation)
    }

    /// Begins a deploy that is held at `place`.
    pub fn begin_held_at(&self, place: Place) -> Result<(Running, Held)> {
        let hold = Hold::at(&self.frame1, place)?;
        let running = self.begin("frame1")?;
        match hold.reached() {
            Ok(held) => Ok((running, held)),
            Err(error) => Err(error.context(format!("{}{}", running.stdout()?, running.stderr()?))),
        }
    }

    /// Begins a deploy that waits for its confirmation. The network lets no new connection to
    /// frame1 through before [`Admission::All`].
    pub fn begin_waiting(&self) -> Result<Running> {
        let (running, held) = self.begin_held()?;
        self.frame1.admit(Admission::OldOnly)?;
        held.go()?;
        self.reaches(Phase::Waiting)?;
        Ok(running)
    }

    /// Kills the watching service's process and returns when systemd has started another.
    pub fn kill_agent(&self) -> Result<()> {
        let unit = format!("deploy-agent-{}.service", self.record()?.attempt);
        let process =
            || self.frame1.sh(&format!("systemctl show --value --property MainPID {unit}"));
        let killed = process()?;
        ensure!(killed != "0", "{unit} does not run");
        self.frame1.sh(&format!("kill -KILL {killed}"))?;
        wait::until("another agent runs", wait::PATIENCE, || {
            let now = process()?;
            Ok(now != "0" && now != killed)
        })
    }

    /// The record of the open attempt, or else of the last one.
    pub fn record(&self) -> Result<Record> {
        let text = self.frame1.read(RECORD)?;
        sealed::open(text.as_bytes()).with_context(|| format!("{RECORD} says {text}"))
    }

    /// Waits until the open attempt is in `phase`.
    pub fn reaches(&self, phase: Phase) -> Result<()> {
        wait::until(&format!("the attempt is {phase}"), NEXT_PHASE, || {
            // Before the first attempt there is no record.
            Ok(self.record().is_ok_and(|record| record.phase == phase))
        })
    }

    /// Checks how the last attempt ended, by the machine's record.
    pub fn recorded(&self, end: End, why: &str) -> Result<()> {
        let record = self.record()?;
        let outcome = record.outcome.with_context(|| format!("open, {}", record.phase))?;
        let said = outcome.why.unwrap_or_default();
        ensure!(outcome.end == end, "the record says {}: {said}", outcome.end);
        ensure!(said.contains(why), "the record says `{said}`, not `{why}`");
        Ok(())
    }

    /// Checks that frame1's journal contains these texts.
    pub fn logged(&self, parts: &[&str]) -> Result<()> {
        let log = self.frame1.journal(&[])?;
        let missing = parts.iter().find(|part| !log.contains(*part));
        ensure!(missing.is_none(), "no `{}` in the journal:\n{log}", missing.unwrap_or(&""));
        Ok(())
    }

    /// The control: the flake's present system commits, runs and boots.
    pub fn commits(&self) -> Result<()> {
        self.deploy("frame1")?.ends(0, &["frame1: committed"]).context("the control")?;
        self.ends_on(&self.wanted()?).context("the control")
    }

    /// The control of [`Case::begin_held`]: a released deploy commits.
    pub fn commits_after_hold(&self) -> Result<()> {
        let (running, held) = self.begin_held()?;
        held.go()?;
        end(running)?.ends(0, &["frame1: committed"]).context("the control")?;
        self.ends_on(&self.wanted()?).context("the control")
    }

    /// The control of [`Case::begin_waiting`]: the deploy commits once new connections are let
    /// through.
    pub fn commits_after_waiting(&self) -> Result<()> {
        let running = self.begin_waiting()?;
        self.frame1.admit(Admission::All)?;
        end(running)?.ends(0, &["frame1: committed"]).context("the control")?;
        self.ends_on(&self.wanted()?).context("the control")
    }
}
