//! Looking at a machine that deploy-rs has deployed to, or has not.

use std::time::Duration;

use anyhow::Result;
use deploy_lab::bench::deploy_rs::ACTIVATE;
use deploy_lab::hosts::wait;
use deploy_lab::tables::fault_table::peer::Row;

use super::stand::Stand;
use super::state::State;
use crate::scene::logs_in;
use crate::table::hold::REACHED;

/// From the end of `deploy`, or of waiting for it, until nothing of it moves on the machine.
const REST: Duration = Duration::from_secs(75);

/// How long a machine is asked for a login before it counts as dark.
const DARK: Duration = Duration::from_secs(15);

impl Stand {
    /// Waits until the machine has given up waiting.
    pub fn goes_back(&self) -> Result<()> {
        wait::until("the profile is the old one", REACHED, || {
            Ok(State::of(&self.scene.frame1)?.profile == self.before.profile)
        })
    }

    /// What the machine is; none if it is off.
    pub fn state(&self) -> Result<Option<State>> {
        let machine = &self.scene.frame1;
        machine.is_on().then(|| State::of(machine)).transpose()
    }

    /// Whether everything that deploy-rs started on the machine comes to an end.
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

    /// Whether a new login works, now or in a moment.
    pub fn logs_in(&self) -> bool {
        self.scene.frame1.is_on() && logs_in(&self.scene.mac, DARK).is_ok()
    }

    /// What the machine boots: found out by cutting the power; none if it does not boot. What
    /// the kernel still holds is written before, but where that is the fault.
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
