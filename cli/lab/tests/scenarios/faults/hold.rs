//! Holding a switch in a phase, from outside.

use std::time::Duration;

use anyhow::{Context, Result};
use deploy_lab::host::{Host, Running};

/// How long a deploy may take to the held phase: it evaluates, builds and pushes before.
const REACHED: Duration = Duration::from_secs(120);

/// The next switch on a host stops where its activation begins. Those after it do not.
pub struct Hold {
    host: Host,
    reached: Running,
}

impl Hold {
    /// Prepares it.
    pub fn activation(host: &Host) -> Result<Self> {
        host.sh("mkdir -p /run/hold; cd /run/hold; mkfifo activate.at activate.go")?;
        let reached = host.command(["sh", "-c", "read -r _ < /run/hold/activate.at"]).spawn()?;
        Ok(Self { host: host.clone(), reached })
    }

    /// Waits until the switch is there.
    pub fn reached(self) -> Result<Held> {
        self.reached.wait(REACHED).context("the activation was not reached")?;
        Ok(Held { host: self.host })
    }
}

/// A switch that stands still.
pub struct Held {
    host: Host,
}

impl Held {
    /// Lets it go on. The fifos are gone before it does, so that the way back is not held.
    pub fn go(self) -> Result<()> {
        self.host.sh("{ rm -r /run/hold; echo; } > /run/hold/activate.go").map(drop)
    }
}
