//! Holding a deploy in a phase from outside.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use deploy_lab::hosts::relay::{Direction, Relay, Traffic};
use deploy_lab::hosts::{Admission, Host, Running, wait};

use super::operator::Operator;
use super::settings::CHECKED;
use crate::faults::hold::ARM;

/// The limit from the start of a deploy until it is in its phase.
pub const REACHED: Duration = Duration::from_secs(120);

/// Two fifos on the machine that stop the process that comes to them.
pub struct Fifo {
    machine: Host,
    name: &'static str,
    reached: Running,
}

impl Fifo {
    /// Creates the fifos called `name`.
    pub fn new(machine: &Host, name: &'static str) -> Result<Self> {
        machine.sh(&make(name))?;
        if name == "arm" {
            machine.sh(ARM)?;
        }
        Self::expect(machine, name)
    }

    fn expect(machine: &Host, name: &'static str) -> Result<Self> {
        let reached =
            machine.command(["sh", "-c", &format!("read -r _ < /run/hold/{name}.at")]).spawn()?;
        Ok(Self { machine: machine.clone(), name, reached })
    }

    /// Waits until a process is held there.
    pub fn reached(mut self, deploy: &mut Operator) -> Result<Held> {
        deploy.until(&format!("{} is reached", self.name), || Ok(!self.reached.is_running()?))?;
        Ok(Held::Fifo { machine: self.machine, name: self.name })
    }
}

fn make(name: &str) -> String {
    format!("mkdir -p /run/hold; cd /run/hold; mkfifo {name}.at {name}.go")
}

/// What is held.
pub enum Held {
    /// A program on the machine that reads a fifo.
    Fifo {
        /// The machine.
        machine: Host,
        /// The fifos' name.
        name: &'static str,
    },
    /// A declared check that waits for a file.
    Check(Host),
    /// A confirmation that does not reach the machine.
    Login(Host),
    /// One direction of a relay.
    Road(Arc<Relay>, Direction),
}

impl Held {
    /// Releases what is held. The fifos are removed first, so that nothing else is held.
    pub fn go(self) -> Result<()> {
        self.go_after("rm -r /run/hold")
    }

    /// Releases what is held, and holds the next switch in its activation.
    pub fn go_to_the_next(self, deploy: &mut Operator) -> Result<Self> {
        let Held::Fifo { machine, name } = &self else { return Ok(self) };
        let (machine, name) = (machine.clone(), *name);
        let next = format!("rm -r /run/hold; {}", make(name));
        self.go_after(&next)?;
        Fifo::expect(&machine, name)?.reached(deploy)
    }

    fn go_after(self, script: &str) -> Result<()> {
        match self {
            // The open fifo is the old one.
            Self::Fifo { machine, name } => {
                machine.sh(&format!("{{ {script}; echo; }} > /run/hold/{name}.go")).map(drop)
            }
            Self::Check(machine) => machine.sh(&format!("touch {CHECKED}")).map(drop),
            Self::Login(machine) => machine.admit(Admission::All),
            Self::Road(relay, direction) => {
                relay.set(direction, Traffic::Passes);
                Ok(())
            }
        }
    }

    /// Leaves it held forever. Whatever comes to the same place later passes.
    pub fn for_ever(self) -> Result<()> {
        match self {
            Self::Fifo { machine, .. } => machine.sh("rm -rf /run/hold").map(drop),
            _ => Ok(()),
        }
    }
}

/// Waits until the first bytes from the machine are held.
pub fn first_answer(relay: &Arc<Relay>, deploy: &mut Operator) -> Result<Held> {
    deploy.until("the machine answers", || Ok(relay.bytes(Direction::FromHost) > 0))?;
    Ok(Held::Road(relay.clone(), Direction::FromHost))
}

/// Waits until a push is in progress, and holds it.
pub fn middle_of_push(relay: &Arc<Relay>, deploy: &mut Operator) -> Result<Held> {
    let direction = Direction::ToHost;
    deploy.until("the push is under way", || Ok(relay.bytes(direction) > 2 << 20))?;
    relay.set(direction, Traffic::Held);
    let stands = || {
        let before = relay.bytes(direction);
        let moves = || Ok(relay.bytes(direction) != before);
        Ok(wait::until("it moves", Duration::from_millis(200), moves).is_err())
    };
    wait::until("the push stands still", REACHED, stands).context("a held road")?;
    Ok(Held::Road(relay.clone(), direction))
}
