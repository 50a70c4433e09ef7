//! The operator's computer must not sleep while a machine waits for it.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::{Admission, Host, Lab, wait};
use deploy_lab::systems::Lane;

use crate::faults::case::Case;
use crate::faults::wanted::Wanted;
use crate::harness::Scenario;
use crate::scene::end;

pub const ALL: &[Scenario] =
    &[Scenario::new("the-operators-computer-stays-awake-while-a-machine-waits", stays_awake)];

const LONG: Duration = Duration::from_secs(60);

fn stays_awake(lab: &mut Lab) -> Result<()> {
    let case = Case::new(lab, Lane::StandIn)?;
    case.wants(&Wanted::new(2).confirmed_within(Duration::from_secs(20)))?;
    ensure!(!keeps_awake(&case.mac)?, "deploy keeps it awake before it runs");

    let deploy = case.begin_waiting()?;
    ensure!(keeps_awake(&case.mac)?, "nothing keeps mac awake while frame1 waits");
    case.frame1.admit(Admission::All)?;
    let said = end(deploy)?;
    ensure!(said.code == 0, "{}", said.text);
    ensure!(!keeps_awake(&case.mac)?, "it is kept awake after the end");

    case.wants(&Wanted::new(3))?;
    let _killed = case.begin_waiting()?;
    case.mac.sh("kill -KILL $(pgrep -x deploy)")?;
    wait::until("nothing keeps mac awake", LONG, || Ok(!keeps_awake(&case.mac)?))
}

/// Whether logind lists `deploy` as an inhibitor of sleep.
fn keeps_awake(mac: &Host) -> Result<bool> {
    let list = mac.sh("systemd-inhibit --list --no-pager --no-legend")?;
    Ok(list.lines().any(|line| {
        line.starts_with("deploy ")
            && line.contains("sleep")
            && line.contains("frame1 is being switched")
    }))
}
