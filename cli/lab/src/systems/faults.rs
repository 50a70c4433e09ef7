//! What goes wrong with a system, by its configuration alone: the same fault for a system
//! made without nixpkgs and for a real NixOS system.

use std::time::Duration;

use super::generation::{Generation, Unit};
use super::real::Module;

/// A fault, or a service that is late.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The system has no sshd.
    NoSshd,
    /// sshd lets nobody log in any more; connections that are open stay.
    RefusedLogins,
    /// sshd knows nobody's key any more.
    NoKeys,
    /// The administrators may use sudo no more.
    NoSudo,
    /// `broken.service` fails at its start.
    FailingUnit,
    /// `dying.service` starts well, dies after `life` each time, and is started again after
    /// `pause`.
    DyingUnit {
        /// How long it lives.
        life: Duration,
        /// `RestartSec`.
        pause: Duration,
    },
    /// `hanging.service` never ends starting: no limit, and a job that stays.
    HangingUnit,
    /// The system has no sshd, and its activation leaves behind on /run what keeps any sshd
    /// from starting until the next boot.
    NoSshdUntilReboot,
    /// A file system that cannot be mounted: the switch ends in emergency mode.
    FailingMount,
    /// `http.service` listens on `port` once `after` has passed. It answers so many requests
    /// with this status each, in turn; the last status goes on for ever.
    Http {
        /// The TCP port.
        port: u16,
        /// From the unit's start until it listens.
        after: Duration,
        /// Numbers of requests, and their status.
        answers: Vec<(u32, u16)>,
    },
}

/// A mount of a type that no kernel has.
const FSTAB: &str = "none /mnt/data nosuchfs defaults 0 0\n";

/// A drop-in that no system knows of, so that no switch takes it away.
const WRECK: &str = "mkdir -p /run/systemd/system/sshd.service.d
    echo '[Service]' > /run/systemd/system/sshd.service.d/wreck.conf
    echo 'ExecStartPre=/bin/sh -c \"exit 1\"' >> /run/systemd/system/sshd.service.d/wreck.conf";

impl Fault {
    /// The service that the fault consists of: its name and the lines of `[Service]`.
    /// `@services@` stands for the folder of the lab's own programs.
    fn service(&self) -> Option<(&'static str, String)> {
        match self {
            Self::FailingUnit => {
                Some(("broken", "Type=oneshot\nExecStart=/bin/sh -c 'exit 3'".into()))
            }
            Self::DyingUnit { life, pause } => {
                let (life, pause) = (life.as_secs_f32(), pause.as_secs_f32());
                let start = format!("ExecStart=/bin/sh -c 'sleep {life}; exit 1'");
                Some(("dying", format!("{start}\nRestart=always\nRestartSec={pause}")))
            }
            Self::HangingUnit => {
                let lines = "Type=oneshot\nTimeoutStartSec=infinity\nExecStart=/run/current-system/sw/bin/sleep infinity";
                Some(("hanging", lines.into()))
            }
            Self::Http { port, after, answers } => {
                let plan: Vec<_> =
                    answers.iter().map(|(n, status)| format!("{n}:{status}")).collect();
                let (after, plan) = (after.as_secs_f32(), plan.join(" "));
                let run = format!("sleep {after}; exec @services@/http {port} {plan}");
                Some(("http", format!("ExecStart=/bin/sh -c '{run}'")))
            }
            _ => None,
        }
    }
}

impl Generation {
    /// The system has this fault as well.
    pub fn with(self, fault: &Fault) -> Self {
        match fault {
            Fault::NoSshd => self.without_sshd(),
            Fault::NoSshdUntilReboot => self.without_sshd().activation("wreck", WRECK),
            Fault::RefusedLogins => self.sshd_config("DenyUsers *"),
            Fault::NoKeys => self.sshd_config("AuthorizedKeysFile none"),
            Fault::NoSudo => self.sudoers("# nobody\n"),
            Fault::FailingMount => self.fstab(FSTAB),
            _ => match fault.service() {
                Some((name, lines)) => self.unit(&format!("{name}.service"), Unit::service(&lines)),
                None => self,
            },
        }
    }
}

impl Module {
    /// The system has this fault as well.
    pub fn with(self, fault: &Fault) -> Self {
        match fault {
            Fault::NoSshd => self.line("services.openssh.enable = false;"),
            Fault::NoSshdUntilReboot => self
                .line("services.openssh.enable = false;")
                .line(&format!("system.activationScripts.wreck = ''{WRECK}'';")),
            Fault::RefusedLogins => self.line("services.openssh.settings.DenyUsers = [ \"*\" ];"),
            Fault::NoKeys => {
                self.line("services.openssh.authorizedKeysFiles = lib.mkForce [ \"none\" ];")
            }
            Fault::NoSudo => self.line("security.sudo.extraRules = lib.mkForce [ ];"),
            Fault::FailingMount => self
                .line("fileSystems.\"/mnt/data\" = { device = \"none\"; fsType = \"nosuchfs\"; };"),
            _ => match fault.service() {
                Some((name, lines)) => self.service(name, &lines),
                None => self,
            },
        }
    }
}
