//! Following an attempt of another operator.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::{Lab, wait};
use deploy_lab::systems::Lane;
use deploy_wire::outcome::End;
use deploy_wire::phase::Phase;

use crate::faults::case::Case;
use crate::faults::hold::Place;
use crate::faults::wanted::Wanted;
use crate::harness::Scenario;
use crate::scene::end;

pub const ALL: &[Scenario] = &[Scenario::new(
    "logs-follow-shows-an-attempt-whose-operator-is-gone-over-a-new-login-to-its-end",
    follow,
)];

const NOBODY: &str = "no new SSH login confirmed within 4 s";

fn follow(lab: &mut Lab) -> Result<()> {
    let case = Case::new(lab, Lane::StandIn)?;
    case.wants(&Wanted::new(2).confirmed_within(Duration::from_secs(4)))?;
    let (mut operator, held) = case.begin_held_at(Place::Activation)?;
    operator.kill()?;
    let running = case.begin("logs --follow frame1")?;
    let sees = |text: &str, times: usize| {
        let said = || -> Result<String> { Ok(running.stdout()? + &running.stderr()?) };
        wait::until(text, wait::PATIENCE, || Ok(said()?.matches(text).count() >= times))
            .with_context(|| said().unwrap_or_default())
    };
    sees("frame1: activating", 1)?;
    // All logins end; the attempt continues.
    case.frame1.sh("pkill --full '[s]shd.*@notty'")?;
    sees("logging in again", 1)?;
    held.go()?;
    let said = end(running)?;
    said.ends(0, &["is over: rolled back", NOBODY, &format!("boots {}", case.before)])?;
    let told = said.text.matches("frame1: activating").count();
    ensure!(told == 1, "told {told} times that it activates:\n{}", said.text);
    ensure!(case.record()?.phase == Phase::Ended, "it is not over");
    case.recorded(End::RolledBack, NOBODY)?;
    case.ends_on(&case.before)
}
