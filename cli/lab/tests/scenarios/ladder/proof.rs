//! What counts as a confirmation: a login other than the one that deployed.

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::{Admission, Lab};
use deploy_lab::systems::Lane;
use deploy_wire::WIRE_VERSION;
use deploy_wire::attempt::Login;
use deploy_wire::message::{Answered, Asked, RefusalKind, Reply, Request};
use deploy_wire::outcome::End;
use deploy_wire::phase::Phase;

use crate::faults::case::Case;
use crate::faults::wanted::Wanted;
use crate::harness::Scenario;
use crate::scene::end;

pub const ALL: &[Scenario] = &[
    Scenario::new(
        "a-confirmation-over-the-login-that-deployed-or-over-none-does-not-count",
        counts,
    ),
    Scenario::new("a-confirmation-that-comes-too-early-does-not-count", early),
];

/// The agent's reply to a confirmation over `login`.
fn confirm(case: &Case, login: Option<Login>) -> Result<Reply> {
    let request = Request::Confirm { attempt: case.record()?.attempt };
    let asked = Asked { version: WIRE_VERSION, login, request };
    let agent = case.frame1.command(["/run/deploy-agent/agent", "serve", "--trusted"]);
    let output = agent.stdin(serde_json::to_vec(&asked)?).run()?.success()?;
    let line = output.stdout.lines().last().context("no answer")?;
    Ok(serde_json::from_str::<Answered>(line)?.reply)
}

fn counts(lab: &mut Lab) -> Result<()> {
    let case = Case::new(lab, Lane::StandIn)?;
    let wanted = case.wants(&Wanted::new(2))?;
    let running = case.begin_waiting()?;
    let login = case.record()?.login.context("the record has no login")?;
    for same in [Some(login.clone()), None] {
        let said = confirm(&case, same.clone())?;
        let refused =
            matches!(&said, Reply::Refused(refusal) if refusal.kind == RefusalKind::SameLogin);
        ensure!(refused, "{same:?} is answered by {said:?}");
        ensure!(case.record()?.phase == Phase::Waiting, "{same:?} counted: {:?}", case.record()?);
    }
    let other = Login { client_port: login.client_port ^ 1, ..login };
    let said = confirm(&case, Some(other))?;
    let committed = matches!(&said, Reply::Ended { outcome, .. } if outcome.end == End::Committed);
    ensure!(committed, "another login is answered by {said:?}");
    case.frame1.admit(Admission::All)?;
    end(running)?.ends(0, &["frame1: committed"])?;
    case.ends_on(&wanted)
}

/// A confirmation during the activation. The checks have not run yet.
fn early(lab: &mut Lab) -> Result<()> {
    let case = Case::new(lab, Lane::StandIn)?;
    let wanted = case.wants(&Wanted::new(2))?;
    let (running, held) = case.begin_held()?;
    let login = case.record()?.login.context("the record has no login")?;
    let other = Login { client_port: login.client_port ^ 1, ..login };
    let said = confirm(&case, Some(other))?;
    let refused = matches!(
        &said,
        Reply::Refused(refusal) if refusal.kind == RefusalKind::NotNow
            && refusal.why.ends_with("cannot be confirmed in phase activate")
    );
    ensure!(refused, "it is answered by {said:?}");
    ensure!(case.record()?.confirmed_by.is_none(), "it counted: {:?}", case.record()?);
    held.go()?;
    end(running)?.ends(0, &["frame1: committed"])?;
    case.ends_on(&wanted)
}
