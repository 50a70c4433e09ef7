//! The operator's computer while a machine waits for it.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::host::Host;
use deploy_lab::lab::Lab;
use deploy_lab::network::Admission;
use deploy_lab::systems::Fleet;
use deploy_lab::wait;

use super::second;
use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] =
    &[Scenario::new("the-operators-computer-stays-awake-while-a-machine-waits", stays_awake)];

const LONG: Duration = Duration::from_secs(60);

fn stays_awake(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.has(Fleet::of("frame1", second()).node("frame1", "confirmTimeout", 20))?;
    ensure!(!keeps_awake(&scene.mac)?, "deploy keeps it awake before it runs");

    let deploy = waits_for_a_login(&scene)?;
    ensure!(keeps_awake(&scene.mac)?, "nothing keeps mac awake while frame1 waits");
    scene.frame1.admit(Admission::All)?;
    let said = deploy.wait(LONG)?;
    ensure!(said.code == 0, "{}{}", said.stdout, said.stderr);
    ensure!(!keeps_awake(&scene.mac)?, "it is kept awake after the end");

    scene.wants(deploy_lab::systems::Generation::new("frame1", 3))?;
    let _killed = waits_for_a_login(&scene)?;
    scene.mac.sh("kill -KILL $(pgrep -x deploy)")?;
    wait::until("nothing keeps mac awake", LONG, || Ok(!keeps_awake(&scene.mac)?))
}

/// A deploy whose confirmation does not come through yet.
fn waits_for_a_login(scene: &Scene) -> Result<deploy_lab::host::Running> {
    scene.frame1.sh("mkdir -p /run/hold; mkfifo /run/hold/activate.at /run/hold/activate.go")?;
    let deploy = scene.begin("frame1")?;
    scene.frame1.sh("read line < /run/hold/activate.at")?;
    scene.frame1.admit(Admission::OldOnly)?;
    scene.frame1.sh("echo > /run/hold/activate.go; rm /run/hold/activate.*")?;
    wait::until("it waits for a login", LONG, || {
        Ok(deploy.stdout()?.contains("waiting for a new login to confirm"))
    })?;
    Ok(deploy)
}

/// Whether logind lists `deploy` among those who do not let it sleep.
fn keeps_awake(mac: &Host) -> Result<bool> {
    let list = mac.sh("systemd-inhibit --list --no-pager --no-legend")?;
    Ok(list.lines().any(|line| {
        line.starts_with("deploy ")
            && line.contains("sleep")
            && line.contains("frame1 is being switched")
    }))
}
