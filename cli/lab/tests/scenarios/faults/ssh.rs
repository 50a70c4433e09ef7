//! Systems that reject logins.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::Admission;
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
    "a-system-that-knows-no-keys-is-rolled-back" => keys,
    "a-network-that-drops-new-connections-is-rolled-back" => dropped,
    "a-system-without-sudo-is-rolled-back" => sudo,
];

/// How long these machines wait for a login that does not arrive.
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

fn closed(case: &Case) -> Result<()> {
    shut_out(case, &Fault::RefusedLogins)
}

fn keys(case: &Case) -> Result<()> {
    shut_out(case, &Fault::NoKeys)
}

/// The new system rejects every new login; existing connections continue.
fn shut_out(case: &Case, fault: &Fault) -> Result<()> {
    keep_connections(case)?;
    let wanted = Wanted::new(2).confirmed_within(LIMIT);
    case.wants(&wanted.clone().with(fault))?;
    let running = case.begin("frame1")?;
    case.reaches(Phase::Waiting)?;
    shuts_out(case)?;
    told(case, &end(running)?)?;
    case.ends_on(&case.before)?;
    case.wants(&wanted.sshd("# nobody is refused"))?;
    case.commits()
}

/// The system is healthy; the network is not.
fn dropped(case: &Case) -> Result<()> {
    keep_connections(case)?;
    case.wants(&Wanted::new(2).confirmed_within(LIMIT))?;
    let running = case.begin_waiting()?;
    shuts_out(case)?;
    let said = end(running)?;
    said.ends(3, &["frame1 was rolled back", NOBODY, "state: back on generation 1"])?;
    case.recorded(End::RolledBack, NOBODY)?;
    case.frame1.admit(Admission::All)?;
    case.ends_on(&case.before)?;
    case.commits_after_waiting()
}

/// The operator's ssh keeps connections. A login over an old connection proves nothing.
fn keep_connections(case: &Case) -> Result<()> {
    let config =
        "Host *\n  ControlMaster auto\n  ControlPath ~/.ssh/kept-%C\n  ControlPersist yes\n";
    case.mac.write("/root/.ssh/config", config, 0o600)?;
    ensure!(login(case, &[])? == 0, "no login to begin with");
    Ok(())
}

/// Checks that an old connection carries a login and a new one does not, while the machine waits.
fn shuts_out(case: &Case) -> Result<()> {
    ensure!(login(case, &[])? == 0, "the old connection does not live");
    ensure!(login(case, &["-o", "ControlPath=none"])? == 255, "a new login works");
    ensure!(case.record()?.phase == Phase::Waiting, "the machine waited no more");
    Ok(())
}

fn login(case: &Case, options: &[&str]) -> Result<i32> {
    let always = ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=1"];
    Ok(case.mac.command([&always, options, &["frame1", "true"]].concat()).run()?.code)
}

/// The login works but may no longer become root.
fn sudo(case: &Case) -> Result<()> {
    let wanted = Wanted::new(2).confirmed_within(LIMIT).node("sshUser", "admin");
    case.wants(&wanted.clone().with(&Fault::NoSudo))?;
    let running = case.begin("frame1")?;
    case.reaches(Phase::Waiting)?;
    let root = || -> Result<i32> {
        Ok(case.mac.command(["ssh", "admin@frame1", "sudo", "-n", "true"]).run()?.code)
    };
    ensure!(root()? == 1, "sudo works");
    let said = end(running)?;
    said.ends(3, &["frame1 was rolled back", NOBODY, "state: back on generation 1"])?;
    said.ends(3, &["admin@frame1 can be logged in to, but may not run the agent any more: sudo"])?;
    case.recorded(End::RolledBack, NOBODY)?;
    ensure!(root()? == 0, "sudo does not work again");
    case.ends_on(&case.before)?;
    case.wants(&wanted)?;
    case.commits()
}

fn rolls_back(case: &Case) -> Result<()> {
    told(case, &case.deploy("frame1")?)
}

fn told(case: &Case, said: &Said) -> Result<()> {
    said.ends(3, &["frame1 was rolled back", NOBODY, "state: back on generation 1"])?;
    said.ends(3, &["waiting for a new login to confirm", "no new login at root@frame1"])?;
    case.recorded(End::RolledBack, NOBODY)
}
