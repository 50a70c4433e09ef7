//! Looking at a machine after deploy-rs.

use std::time::Duration;

use anyhow::Result;
use deploy_lab::bench::deploy_rs::ACTIVATE;
use deploy_lab::hosts::wait;
use deploy_lab::tables::fault_table::peer::Row;

use super::stand::Stand;
use super::state::State;
use crate::scene::logs_in;
use crate::table::hold::REACHED;

/// The limit from the end of `deploy` until all its processes on the machine have ended.
const REST: Duration = Duration::from_secs(75);

/// How long to try to log in before the machine counts as unreachable.
const DARK: Duration = Duration::from_secs(15);

impl Stand {
    /// Waits until the machine has stopped waiting for the confirmation.
    pub fn goes_back(&self) -> Result<()> {
        wait::until("the profile is the old one", REACHED, || {
            Ok(State::of(&self.scene.frame1)?.profile == self.before.profile)
        })
    }

    /// The state of the machine; `None` if it is off.
    pub fn state(&self) -> Result<Option<State>> {
        let machine = &self.scene.frame1;
        machine.is_on().then(|| State::of(machine)).transpose()
    }

    /// Whether all processes of deploy-rs on the machine end.
    pub fn comes_to_rest(&self) -> bool {
        !self.scene.frame1.is_on()
            || wait::until("nothing moves", REST, || {
                Ok(!self.moves("activate")? && !self.switches()?)
            })
            .is_ok()
    }

    /// Whether a part of its `activate` runs.
    pub fn moves(&self, part: &str) -> Result<bool> {
        self.runs_a(&format!("^{ACTIVATE} {part} "))
    }

    fn switches(&self) -> Result<bool> {
        self.runs_a("bin/switch-to-configuration switch$")
    }

    fn runs_a(&self, pattern: &str) -> Result<bool> {
        Ok(self.scene.frame1.command(["pgrep", "-f", pattern]).run()?.code == 0)
    }

    /// Whether a new login works, at once or soon.
    pub fn logs_in(&self) -> bool {
        self.scene.frame1.is_on() && logs_in(&self.scene.mac, DARK).is_ok()
    }

    /// The system that the machine boots after a power cut; `None` if it does not boot. Unless the
    /// cut is the fault, the disks are synced first.
    pub fn boots(&self) -> Result<Option<String>> {
        let machine = &self.scene.frame1;
        if !machine.is_on() {
            return Ok(None);
        }
        if self.row != Row::PowerCutAtTheEnd {
            machine.sync()?;
        }
        machine.power_cut()?;
        if let Err(error) = machine.boot() {
            println!("{error:#}");
            return Ok(None);
        }
        machine.wait_until_up()?;
        Ok(Some(State::of(machine)?.runs))
    }
}
