//! Systems that nobody can log in to.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::systems::Fault;
use deploy_wire::outcome::End;
use deploy_wire::phase::Phase;

use super::case::Case;
use super::lane::on_both_lanes;
use super::wanted::Wanted;
use crate::harness::Scenario;
use crate::scene::{Said, end};

pub const ALL: &[Scenario] = on_both_lanes![
    "a-system-that-stops-sshd-is-rolled-back" => stops,
    "new-logins-fail-while-old-ones-live-rolls-back" => closed,
];

/// How long these machines wait for a login that does not come.
const LIMIT: Duration = Duration::from_secs(5);

const NOBODY: &str = "no new SSH login confirmed within 5 s";

fn stops(case: &Case) -> Result<()> {
    let wanted = Wanted::new(2).confirmed_within(LIMIT);
    case.wants(&wanted.clone().with(&Fault::NoSshd))?;
    rolls_back(case)?;
    case.logged(&["Stopped sshd.service"])?;
    case.ends_on(&case.before)?;
    case.wants(&wanted)?;
    case.commits()
}

/// The operator's ssh keeps connections: a login over an old one proves nothing.
fn closed(case: &Case) -> Result<()> {
    let config =
        "Host *\n  ControlMaster auto\n  ControlPath ~/.ssh/kept-%C\n  ControlPersist yes\n";
    case.mac.write("/root/.ssh/config", config, 0o600)?;
    let login = |options: &[&str]| -> Result<i32> {
        let words = [&["ssh", "-o", "BatchMode=yes"], options, &["frame1", "true"]].concat();
        Ok(case.mac.command(words).run()?.code)
    };
    ensure!(login(&[])? == 0, "no login to begin with");

    let wanted = Wanted::new(2).confirmed_within(LIMIT);
    case.wants(&wanted.clone().with(&Fault::RefusedLogins))?;
    let running = case.begin("frame1")?;
    case.reaches(Phase::Waiting)?;
    ensure!(login(&[])? == 0, "the old connection does not live");
    ensure!(login(&["-o", "ControlPath=none"])? == 255, "a new login works");
    ensure!(case.record()?.phase == Phase::Waiting, "the machine waited no more");
    told(case, &end(running)?)?;
    case.ends_on(&case.before)?;

    case.wants(&wanted.sshd("# nobody is refused"))?;
    case.commits()
}

fn rolls_back(case: &Case) -> Result<()> {
    told(case, &case.deploy("frame1")?)
}

fn told(case: &Case, said: &Said) -> Result<()> {
    let state = format!("state: back on generation 1: runs {}", &case.before[11..18]);
    said.ends(3, &["frame1 was rolled back", NOBODY, &state, ", boots it"])?;
    said.ends(3, &["waiting for a new login to confirm", "no new login at root@frame1"])?;
    case.recorded(End::RolledBack, NOBODY)
}
