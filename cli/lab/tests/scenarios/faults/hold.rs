//! Holding a switch in a phase, from outside.

use std::time::Duration;

use anyhow::{Context, Result};
use deploy_lab::hosts::{Host, Running};
use serde_json::{Value, json};

/// How long a deploy may take to the held place: it evaluates, builds and pushes before.
const REACHED: Duration = Duration::from_secs(120);

/// Holds the watching service before it starts: a drop-in for all units of that prefix.
pub const ARM: &str = "mkdir -p /run/systemd/system/deploy-agent-.service.d
cat > /run/systemd/system/deploy-agent-.service.d/hold.conf <<'END'
[Service]
ExecStartPre=/bin/sh -c '[ -p /run/hold/arm.at ] || exit 0; echo arm > /run/hold/arm.at; read -r _ < /run/hold/arm.go'
END
systemctl daemon-reload";

/// A place where a deploy can be made to stand still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The new system's own checks are asked, while the machine is being staged.
    PreSwitchCheck,
    /// The watching service is about to start.
    Arm,
    /// An activation begins, of the way there or of the way back.
    Activation,
    /// [`check`] is asked.
    Check,
    /// The boot loader's menu is not begun.
    BootLoader,
    /// The boot loader's menu has only its temporary name.
    BootLoaderHalf,
    /// The boot loader's menu is written.
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

/// A declared check that passes, and that can be held.
pub fn check() -> Value {
    let fifo = format!("/run/hold/{}", Place::Check.word());
    let script =
        format!("if [ -p {fifo}.at ]; then echo here > {fifo}.at; read -r _ < {fifo}.go || :; fi");
    let argv = ["/bin/sh", "-c", &script];
    let kind = json!({ "type": "command", "argv": argv });
    json!({ "name": "held", "service": "lab", "grace": 100, "kind": kind })
}

/// The next one that comes to a place on a host stops there. Those after it do not.
pub struct Hold {
    host: Host,
    place: Place,
    reached: Running,
}

impl Hold {
    /// Prepares it.
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

    /// Waits until it stands there.
    pub fn reached(self) -> Result<Held> {
        self.reached.wait(REACHED).with_context(|| format!("{:?} not reached", self.place))?;
        Ok(Held { host: self.host, place: self.place })
    }
}

/// A deploy that stands still.
pub struct Held {
    host: Host,
    place: Place,
}

impl Held {
    /// Lets it go on. The fifos are gone before it does, so that what comes later is not held.
    pub fn go(self) -> Result<()> {
        let fifo = format!("/run/hold/{}", self.place.word());
        let script = match self.place {
            // It may be gone: a look at a check has a limit, and dies with its agent.
            Place::Check => format!("exec 3<>{fifo}.go; rm {fifo}.at {fifo}.go; echo >&3"),
            _ => format!("{{ rm {fifo}.at {fifo}.go; echo; }} > {fifo}.go"),
        };
        self.host.sh(&script).map(drop)
    }
}
