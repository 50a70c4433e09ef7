//! Causing faults while deploy-rs deploys. Each function returns a description of what was done.

use anyhow::{Context, Result, bail, ensure};
use deploy_lab::bench::deploy_rs::ACTIVATE;
use deploy_lab::hosts::relay::{Direction, Traffic};
use deploy_lab::hosts::{Link, Running};
use deploy_lab::tables::fault_table::Fault;
use deploy_lab::tables::fault_table::peer::{Phase, Row};

use super::stand::Stand;
use crate::table::acts;
use crate::table::hold::Held;
use crate::table::operator::Operator;

/// Kills the switch, its activation and what holds it. A leftover process would keep the login
/// open.
const KILL_SWITCH: &str = "pkill -KILL -f \
    'switch-to-configuration switch$|nixos-system-[^ ]*/activate /nix/store|/hold activate$'";

const DENIED: &str = "not allowed because listed in DenyUsers";

/// A fault that was caused. A fault that continues does so as long as this value lives.
pub struct Struck {
    said: String,
    /// The text that the fault causes in the machine's journal or in the output.
    shows: Option<&'static str>,
    _reloads: Option<Running>,
}

impl Struck {
    fn saying(said: impl Into<String>) -> Self {
        Self { said: said.into(), shows: None, _reloads: None }
    }

    fn shows(self, text: &'static str) -> Self {
        Self { shows: Some(text), ..self }
    }

    /// Checks that the fault is visible, if nothing else proves it, and describes it.
    pub fn evidence(&self, stand: &Stand, printed: &str) -> Result<&str> {
        if let Some(text) = self.shows {
            let shown = printed.contains(text) || stand.scene.frame1.journal(&[])?.contains(text);
            ensure!(shown, "nothing shows `{text}`:\n{printed}");
        }
        Ok(&self.said)
    }
}

/// Causes the fault in the held phase and releases the deploy.
pub fn strike(stand: &Stand, deploy: &mut Operator, held: Held) -> Result<Struck> {
    let machine = &stand.scene.frame1;
    let fault = match stand.row {
        Row::Of(fault) => fault,
        Row::NetworkBackLate => {
            stand.goes_back()?;
            held.go()?;
            return Ok(Struck::saying("new connections came through once it rolled back"));
        }
        Row::PowerCutAtTheEnd => {
            held.go()?;
            return Ok(Struck::saying("nothing was written before the power was cut"));
        }
        Row::PowerCutLater => {
            machine.sync()?;
            return power_cut(stand, held).map(Struck::saying);
        }
        Row::NoNewLoginsKept => {
            held.go()?;
            let struck = Struck::saying("DenyUsers *, and the operator's ssh keeps its connection");
            return Ok(struck.shows(DENIED));
        }
    };
    let said = match fault {
        Fault::Control => {
            held.go()?;
            "held and let go".into()
        }
        Fault::OperatorKilled => {
            deploy.kill()?;
            held.go()?;
            "deploy and ssh got SIGKILL".into()
        }
        Fault::OperatorSuspended => {
            deploy.freeze()?;
            held.go()?;
            ensure!(stand.comes_to_rest(), "the machine does not come to rest");
            deploy.thaw()?;
            "deploy and ssh stood still meanwhile".into()
        }
        Fault::NetworkGone => {
            machine.link(Link::Cut)?;
            held.go()?;
            "the cable was cut until deploy ended".into()
        }
        Fault::NetworkBack => acts::cut_for_a_moment(machine, held)?,
        Fault::AnswerLost => answer_lost(stand, held)?,
        Fault::NoNewLogins if stand.phase == Phase::Wait => {
            "the first packet of new connections is dropped".into()
        }
        Fault::NoNewLogins => {
            held.go()?;
            return Ok(Struck::saying("DenyUsers *").shows(DENIED));
        }
        Fault::AgentKilled => {
            let killed = machine.sh(&format!("pkill -KILL -c -f '^{ACTIVATE} '"))?;
            held.go()?;
            format!("SIGKILL for {killed} of `activate`")
        }
        Fault::PowerCut => power_cut(stand, held)?,
        Fault::StoreFull => acts::fill(machine, "/nix", held)?,
        Fault::BootFull => acts::fill(machine, "/boot", held)?,
        Fault::MountFails => {
            held.go()?;
            return Ok(Struck::saying("a mount fails").shows("emergency.target"));
        }
        Fault::Reloads => {
            let reloads = acts::reloads(machine)?;
            held.go()?;
            let struck = Struck::saying("reloads each second").shows("Reload requested from");
            return Ok(Struck { _reloads: Some(reloads), ..struck });
        }
        Fault::SecondOperator => {
            let code = acts::second_operator(deploy, held, || stand.second())?;
            format!("the second deploy ended with {code}")
        }
        Fault::OtherTool => {
            let other = stand.other.as_ref().context("another system")?;
            let code = acts::switch_to(machine, other)?.code;
            held.go()?;
            format!("profile set, switch ended with {code}")
        }
        Fault::Garbage => acts::collect_garbage(machine, held)?,
        Fault::Hangs => {
            held.for_ever()?;
            "it was never let go".into()
        }
        Fault::HalfSwitched if stand.phase == Phase::RollBack => {
            held.for_ever()?;
            machine.sh(KILL_SWITCH)?;
            "the switch back got SIGKILL".into()
        }
        Fault::HalfSwitched => {
            held.go()?;
            return Ok(Struck::saying("units are stopped").shows("breaks off after-restart"));
        }
        Fault::SoftReboot => acts::soft_reboot(machine, held)?,
        Fault::ClockJumps => bail!("a lab host has no wall clock of its own"),
    };
    Ok(Struck::saying(said))
}

/// The machine may not boot any more; that is checked later.
fn power_cut(stand: &Stand, held: Held) -> Result<String> {
    let cut = acts::power_cut(&stand.scene.frame1, held);
    if stand.scene.frame1.is_on() { cut } else { Ok("the machine did not boot".into()) }
}

/// The confirmation is carried out. The relay drops its answer until the machine is at rest.
fn answer_lost(stand: &Stand, held: Held) -> Result<String> {
    let relay = stand.relay.as_ref().context("a road")?;
    relay.set(Direction::FromHost, Traffic::Swallowed);
    let before = relay.bytes(Direction::FromHost);
    held.go()?;
    ensure!(stand.comes_to_rest(), "the machine does not come to rest");
    ensure!(relay.bytes(Direction::FromHost) > before, "no answer was lost");
    relay.set(Direction::FromHost, Traffic::Passes);
    Ok("what the machine answered was swallowed".into())
}
