//! Faults of a system that its configuration alone causes. Each works for a system without nixpkgs
//! and for a real NixOS system.

use std::time::Duration;

use super::generation::{Generation, Unit};
use super::real::Module;

/// A fault of a system, or a slow service.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The system has no sshd.
    NoSshd,
    /// sshd rejects every new login; open connections continue.
    RefusedLogins,
    /// sshd accepts no key.
    NoKeys,
    /// The administrators may no longer use sudo.
    NoSudo,
    /// `broken.service` fails at its start.
    FailingUnit,
    /// `dying.service` starts successfully, dies after `life` each time, and is restarted after
    /// `pause`.
    DyingUnit {
        /// How long the service runs.
        life: Duration,
        /// `RestartSec`.
        pause: Duration,
    },
    /// `hanging.service` never finishes its start: it has no limit, and its job stays.
    HangingUnit,
    /// The system has no sshd, and its activation leaves files on /run that keep any sshd from
    /// starting until the next boot.
    NoSshdUntilReboot,
    /// A file system cannot be mounted, so the switch ends in emergency mode.
    FailingMount,
    /// `http.service` listens on `port` after `after`. It answers the given numbers of requests
    /// with their status, in turn, and then repeats the last status forever.
    Http {
        /// The TCP port.
        port: u16,
        /// The time from the unit's start until it listens.
        after: Duration,
        /// The numbers of requests with their status.
        answers: Vec<(u32, u16)>,
    },
}

/// A mount of a type that no kernel has.
const FSTAB: &str = "none /mnt/data nosuchfs defaults 0 0\n";

/// A drop-in that no system declares, so no switch removes it.
const WRECK: &str = "mkdir -p /run/systemd/system/sshd.service.d
    echo '[Service]' > /run/systemd/system/sshd.service.d/wreck.conf
    echo 'ExecStartPre=/bin/sh -c \"exit 1\"' >> /run/systemd/system/sshd.service.d/wreck.conf";

impl Fault {
    /// The service of the fault: its name and the lines of `[Service]`. `@services@` is the folder
    /// of the lab's own programs.
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
    /// Adds this fault.
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
    /// Adds this fault.
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
