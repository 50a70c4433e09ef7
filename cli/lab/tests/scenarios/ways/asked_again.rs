//! A machine whose agent gets no answer from PID 1 for a moment is asked again.

use anyhow::Result;
use deploy_lab::hosts::{Admission, Lab};

use super::end_on_terminal;
use super::interrupt::unconfirmed;
use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] = &[
    Scenario::new("a-confirmation-that-could-not-be-taken-is-tried-again", confirmation),
    Scenario::new("an-agent-that-could-not-answer-is-asked-again", following),
];

const AWAY: &str = "mv /run/systemd/private /run/systemd/away";
const BACK: &str = "mv /run/systemd/away /run/systemd/private";

fn confirmation(lab: &mut Lab) -> Result<()> {
    silent_while_waiting(lab, AWAY, "could not answer: /run/systemd/private is closed")
}

fn following(lab: &mut Lab) -> Result<()> {
    let lost = format!("{AWAY}; pkill -KILL -f 'deploy-agent serve( --trusted)?$'");
    silent_while_waiting(lab, &lost, "could not answer: /run/systemd/private is closed")
}

/// PID 1 falls silent by `silence` while a deploy waits for its confirmation, and answers again
/// once `told` was reported.
fn silent_while_waiting(lab: &mut Lab, silence: &str, told: &str) -> Result<()> {
    let scene = Scene::new(lab)?;
    let terminal = unconfirmed(&scene, 120)?;
    terminal.wait_for("waiting for a new login to confirm")?;
    scene.frame1.sh(silence)?;
    scene.frame1.admit(Admission::All)?;
    terminal.wait_for(told)?;
    scene.frame1.sh(BACK)?;
    end_on_terminal(terminal)?.ends(0, &["frame1: committed"])?;
    scene.ends_on(&scene.wanted()?)
}
