//! Holding a switch in a phase from outside.

use std::time::Duration;

use anyhow::{Context, Result};
use deploy_lab::hosts::{Host, Running};
use serde_json::{Value, json};

/// The limit until a deploy reaches the place. It evaluates, builds and pushes first.
const REACHED: Duration = Duration::from_secs(120);

/// Holds the watching service before it starts, by a drop-in for all units with this prefix.
pub const ARM: &str = "mkdir -p /run/systemd/system/deploy-agent-.service.d
cat > /run/systemd/system/deploy-agent-.service.d/hold.conf <<'END'
[Service]
ExecStartPre=/bin/sh -c '[ -p /run/hold/arm.at ] || exit 0; echo arm > /run/hold/arm.at; read -r _ < /run/hold/arm.go'
END
systemctl daemon-reload";

/// A place at which a deploy can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The new system's pre-switch check, during `stage`.
    PreSwitchCheck,
    /// The start of the watching service.
    Arm,
    /// The start of an activation, in the switch or in the rollback.
    Activation,
    /// The declared check [`check`].
    Check,
    /// Before the boot loader's menu is written.
    BootLoader,
    /// While the boot loader's menu has its temporary name.
    BootLoaderHalf,
    /// After the boot loader's menu is written.
    BootLoaderDone,
}

impl Place {
    fn word(self) -> &'static str {
        match self {
            Self::PreSwitchCheck => "check",
            Self::Arm => "arm",
            Self::Activation => "activate",
            Self::Check => "asked",
            Self::BootLoader => "boot-loader",
            Self::BootLoaderHalf => "boot-loader-half",
            Self::BootLoaderDone => "boot-loader-done",
        }
    }
}

/// A declared check that passes and can be held.
pub fn check() -> Value {
    let fifo = format!("/run/hold/{}", Place::Check.word());
    let script =
        format!("if [ -p {fifo}.at ]; then echo here > {fifo}.at; read -r _ < {fifo}.go || :; fi");
    let argv = ["/bin/sh", "-c", &script];
    let kind = json!({ "type": "command", "argv": argv });
    json!({ "name": "held", "service": "lab", "grace": 100, "kind": kind })
}

/// A hold for the next process that comes to a place on a host. Later ones pass.
pub struct Hold {
    host: Host,
    place: Place,
    reached: Running,
}

impl Hold {
    /// Prepares the hold.
    pub fn at(host: &Host, place: Place) -> Result<Self> {
        let word = place.word();
        host.sh(&format!("mkdir -p /run/hold; cd /run/hold; mkfifo {word}.at {word}.go"))?;
        if place == Place::Arm {
            host.sh(ARM)?;
        }
        let script = format!("read -r _ < /run/hold/{word}.at");
        let reached = host.command(["sh", "-c", &script]).spawn()?;
        Ok(Self { host: host.clone(), place, reached })
    }

    /// Waits until a process is held.
    pub fn reached(self) -> Result<Held> {
        self.reached.wait(REACHED).with_context(|| format!("{:?} not reached", self.place))?;
        Ok(Held { host: self.host, place: self.place })
    }
}

/// A deploy that is held.
pub struct Held {
    host: Host,
    place: Place,
}

impl Held {
    /// Releases the deploy. The fifos are removed first, so that later processes pass.
    pub fn go(self) -> Result<()> {
        let fifo = format!("/run/hold/{}", self.place.word());
        let script = match self.place {
            // The fifo may be gone: a look at a check has a limit, and ends with its agent.
            Place::Check => format!("exec 3<>{fifo}.go; rm {fifo}.at {fifo}.go; echo >&3"),
            _ => format!("{{ rm {fifo}.at {fifo}.go; echo; }} > {fifo}.go"),
        };
        self.host.sh(&script).map(drop)
    }
}
