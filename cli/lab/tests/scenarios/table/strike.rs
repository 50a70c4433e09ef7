//! Causing faults, and the evidence that they occurred.

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::relay::{Direction, Traffic};
use deploy_lab::hosts::{Link, Running, wait};
use deploy_lab::systems::Ready;
use deploy_lab::tables::fault_table::{Fault, Phase};

use super::acts;
use super::hold::{Held, REACHED};
use super::operator::Operator;
use super::stand::Stand;
use super::{lane, settings};

/// Kills every process of the agent except the unit that switches. `serve` is killed first, because
/// it could report that the service did not start.
const KILL_AGENT: &str = "pkill -KILL -f 'deploy-agent serve( --trusted)?$' && echo serve
units=$(systemctl list-units --plain --no-legend --full 'deploy-agent-*.service' | cut -d ' ' -f 1)
for unit in $units; do systemctl kill --kill-whom=all --signal=KILL \"$unit\"; echo \"$unit\"; done";

/// A drop-in that no system declares, for a mount that only the first system has.
const BROKEN_MOUNT: &str = "mkdir -p /run/systemd/system/mnt-kept.mount.d
printf '[Mount]\\nType=nosuchfs\\n' > /run/systemd/system/mnt-kept.mount.d/broken.conf";

/// A fault that was brought about.
pub struct Struck {
    said: String,
    /// The text that the fault causes in the machine's journal or in `deploy`'s output.
    logged: Option<&'static str>,
    _reloads: Option<Running>,
}

impl Struck {
    fn saying(said: impl Into<String>) -> Self {
        Self { said: said.into(), logged: None, _reloads: None }
    }

    fn logged(self, text: &'static str) -> Self {
        Self { logged: Some(text), ..self }
    }

    /// Checks that the machine's journal shows the fault, and describes it.
    pub fn evidence(&self, stand: &Stand) -> Result<String> {
        let Some(text) = self.logged else { return Ok(self.said.clone()) };
        stand.logged(text)?;
        Ok(format!("{}; journal: {text}", self.said))
    }
}

/// Causes the fault in the held phase and releases the deploy.
pub fn strike(stand: &mut Stand, deploy: &mut Operator, held: Held) -> Result<Struck> {
    let machine = stand.scene.frame1.clone();
    match stand.fault {
        Fault::Control => {
            held.go()?;
            Ok(Struck::saying("held and let go"))
        }
        Fault::OperatorKilled => {
            deploy.kill()?;
            held.go()?;
            Ok(Struck::saying("deploy and ssh got SIGKILL"))
        }
        Fault::OperatorSuspended => suspend(stand, deploy, held),
        Fault::NetworkGone => {
            machine.link(Link::Cut)?;
            held.go()?;
            Ok(Struck::saying("the cable was cut until deploy ended"))
        }
        Fault::NetworkBack => acts::cut_for_a_moment(&machine, held).map(Struck::saying),
        Fault::AnswerLost => answer_lost(stand, held),
        Fault::NoNewLogins if stand.phase == Phase::Wait => {
            Ok(Struck::saying("the first packet of new connections is dropped"))
        }
        Fault::NoNewLogins => {
            held.go()?;
            Ok(Struck::saying("DenyUsers *").logged("not allowed because listed in DenyUsers"))
        }
        Fault::AgentKilled => kill_agent(stand, held),
        Fault::PowerCut => acts::power_cut(&machine, held).map(Struck::saying),
        Fault::StoreFull => acts::fill(&machine, "/nix", held).map(Struck::saying),
        Fault::BootFull => acts::fill(&machine, "/boot", held).map(Struck::saying),
        Fault::MountFails if stand.phase == Phase::RollBack => mount_fails(stand, held),
        Fault::MountFails => {
            held.go()?;
            Ok(Struck::saying("a mount fails").logged("emergency.target"))
        }
        Fault::Reloads => {
            let reloads = acts::reloads(&machine)?;
            held.go()?;
            let struck = Struck::saying("reloads each second").logged("Reload requested from");
            Ok(Struck { _reloads: Some(reloads), ..struck })
        }
        Fault::SecondOperator => second_operator(stand, deploy, held),
        Fault::OtherTool => other_tool(stand, held),
        Fault::Garbage => acts::collect_garbage(&machine, held).map(Struck::saying),
        Fault::Hangs => {
            held.for_ever()?;
            Ok(Struck::saying("it was never let go"))
        }
        Fault::HalfSwitched if !stand.lane.is_real() && stand.phase == Phase::Activate => {
            held.go()?;
            Ok(Struck::saying("units are stopped").logged("the switch breaks off after-restart"))
        }
        Fault::HalfSwitched => {
            held.for_ever()?;
            machine.sh("pkill -KILL -f 'bin/switch-to-configuration test$'")?;
            Ok(Struck::saying("the switch got SIGKILL"))
        }
        Fault::SoftReboot => acts::soft_reboot(&machine, held).map(Struck::saying),
        Fault::ClockJumps => acts::jump_the_clock(&machine, held).map(Struck::saying),
    }
}

/// The previous system's mount fails from now until the next boot, also in the switch back. Which of
/// two ends it takes depends on which of the switch's starts comes after emergency mode: the machine
/// leaves it without the mount, or is rebooted.
fn mount_fails(stand: &Stand, held: Held) -> Result<Struck> {
    let machine = &stand.scene.frame1;
    machine.sh(BROKEN_MOUNT)?;
    held.go()?;
    let is_back =
        || -> Result<bool> { Ok(stand.attempt()?.is_some_and(|record| record.outcome.is_some())) };
    wait::until("it goes back", REACHED, || Ok(machine.has_ended()? || is_back()?))?;
    if machine.has_ended()? {
        machine.wait_for_reboot(REACHED)?;
        machine.wait_until_up()?;
    }
    let text = "Reached target emergency.target";
    let found = machine.sh(&format!("journalctl --no-pager | grep -c '{text}' || :"))?;
    ensure!(found.trim() != "0", "no `{text}` in the journal of all boots");
    Ok(Struck::saying(format!("the old system's mount fails; journal: {text}")))
}

fn suspend(stand: &Stand, deploy: &Operator, held: Held) -> Result<Struck> {
    deploy.freeze()?;
    held.go()?;
    if stand.phase == Phase::Push {
        std::thread::sleep(acts::MOMENT);
    } else {
        stand.ended(None, REACHED)?;
    }
    deploy.thaw()?;
    Ok(Struck::saying("deploy and ssh stood still meanwhile"))
}

/// The relay drops the machine's answers until the end of the attempt is recorded.
fn answer_lost(stand: &Stand, held: Held) -> Result<Struck> {
    let relay = stand.relay.as_ref().context("a road")?;
    if stand.phase == Phase::Wait {
        held.go()?;
        let confirmed = || Ok(stand.attempt()?.is_some_and(|record| record.confirmed_by.is_some()));
        wait::until("a login confirms", REACHED, confirmed)?;
        relay.set(Direction::FromHost, Traffic::Swallowed);
    } else {
        relay.set(Direction::FromHost, Traffic::Swallowed);
        held.go()?;
    }
    let before = relay.bytes(Direction::FromHost);
    stand.ended(None, REACHED)?;
    wait::until("answers are lost", REACHED, || Ok(relay.bytes(Direction::FromHost) > before))?;
    relay.set(Direction::FromHost, Traffic::Passes);
    Ok(Struck::saying("what the machine answered was swallowed"))
}

fn kill_agent(stand: &Stand, held: Held) -> Result<Struck> {
    let machine = &stand.scene.frame1;
    if stand.phase == Phase::Arm {
        // The agent's own start is held.
        let said = machine.sh(&format!("rm -r /run/hold; {KILL_AGENT}"))?;
        return Ok(Struck::saying(format!("SIGKILL: {}", said.replace('\n', ", "))));
    }
    let said = machine.sh(KILL_AGENT)?;
    held.go()?;
    let struck = Struck::saying(format!("SIGKILL: {}", said.replace('\n', ", ")));
    Ok(if stand.phase == Phase::Stage { struck } else { struck.logged("status=9/KILL") })
}

/// Deploys generation 3. The first operator has already evaluated the flake.
fn second_operator(stand: &Stand, deploy: &Operator, held: Held) -> Result<Struck> {
    lane::has(&stand.scene, stand.lane, Ready::Third, settings::watched())?;
    let second = acts::second_operator(deploy, held, || stand.scene.deploy("frame1"))?;
    if stand.phase == Phase::Ask {
        // The first operator learns of it with the next request, and continues from there.
        second.ends(0, &["committed"])?;
    } else {
        let why = match stand.phase {
            Phase::Stage => "frame1",
            _ => "frame1 is being deployed to",
        };
        second.ends(1, &[why])?;
    }
    Ok(Struck::saying(format!("the second deploy ended with {}", second.code)))
}

/// Another tool's switch needs the lock.
fn other_tool(stand: &mut Stand, held: Held) -> Result<Struck> {
    let other = stand.other.clone().context("another system")?;
    let output = acts::switch_to(&stand.scene.frame1, &other)?;
    // The held process may hold the switch's lock, as the system's own check does in `stage`.
    let locked = match stand.phase {
        Phase::Stage => !stand.lane.is_real(),
        phase => matches!(phase, Phase::Activate | Phase::Commit | Phase::RollBack),
    };
    // 4: a unit that had failed before this deploy.
    let must: &[i32] = if locked { &[11] } else { &[0, 4] };
    let code = output.code;
    ensure!(must.contains(&code), "the other tool ended with {code}: {}", output.stderr);
    if !locked {
        stand.untouched = other;
    }
    held.go()?;
    Ok(Struck::saying(format!("profile set, switch ended with {code}")))
}
