//! The rights of the agent's units, as PID 1 grants them.

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::{Admission, Lab};
use deploy_lab::systems::Lane;

use crate::faults::case::Case;
use crate::faults::wanted::Wanted;
use crate::harness::Scenario;
use crate::scene::end;

pub const ALL: &[Scenario] =
    &[Scenario::new("the-watching-service-has-no-more-rights-than-its-work-needs", watching)];

/// Capabilities that the agent does not need, by number: CAP_SYS_MODULE, CAP_SYS_PACCT,
/// CAP_SYS_TIME, CAP_SYS_TTY_CONFIG, CAP_MKNOD, CAP_LEASE, CAP_MAC_OVERRIDE, CAP_MAC_ADMIN,
/// CAP_WAKE_ALARM, CAP_BLOCK_SUSPEND.
const GIVEN_UP: [u32; 10] = [16, 20, 25, 26, 27, 28, 32, 33, 35, 36];

/// CAP_SYS_ADMIN, CAP_SYS_BOOT and CAP_KILL.
const KEPT: [u32; 3] = [21, 22, 5];

fn watching(lab: &mut Lab) -> Result<()> {
    let case = Case::new(lab, Lane::StandIn)?;
    let wanted = case.wants(&Wanted::new(2))?;
    let running = case.begin_waiting()?;
    let host = &case.frame1;
    let unit = format!("deploy-agent-{}.service", case.record()?.attempt);
    let show = host.sh(&format!(
        "systemctl show {unit} -p LockPersonality,RestrictRealtime,RestrictSUIDSGID,KeyringMode"
    ))?;
    let expected = ["LockPersonality=yes", "RestrictRealtime=yes", "RestrictSUIDSGID=yes"];
    for property in expected.into_iter().chain(["KeyringMode=private"]) {
        ensure!(show.lines().any(|line| line == property), "{property} is not in {show}");
    }
    let process = host.sh(&format!("systemctl show {unit} -p MainPID --value"))?;
    let bounds = host.sh(&format!("sed -n 's/^CapBnd:\\s*//p' /proc/{process}/status"))?;
    let bounds = u64::from_str_radix(bounds.trim(), 16).context("CapBnd is a number")?;
    for right in GIVEN_UP {
        ensure!(bounds & (1 << right) == 0, "it has right {right}: {bounds:x}");
    }
    for right in KEPT {
        ensure!(bounds & (1 << right) != 0, "it lacks right {right}: {bounds:x}");
    }
    // The agent must see and sync the machine's own mounts.
    host.sh(&format!("test $(readlink /proc/{process}/ns/mnt) = $(readlink /proc/1/ns/mnt)"))?;
    let timers = host.sh("systemctl show 'deploy-rollback-*.timer' -p Unit --value")?;
    let timer = timers.lines().next().context("no timer")?;
    let last =
        host.sh(&format!("systemctl show {timer} -p LockPersonality,CapabilityBoundingSet"))?;
    ensure!(last.contains("LockPersonality=yes"), "{last}");
    ensure!(!last.contains("cap_sys_module") && last.contains("cap_sys_boot"), "{last}");
    host.admit(Admission::All)?;
    end(running)?.ends(0, &["frame1: committed"])?;
    case.ends_on(&wanted)
}
