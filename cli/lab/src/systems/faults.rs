//! What goes wrong with a system, each by its configuration alone.

use std::time::Duration;

use super::{Generation, Unit};

/// What an HTTP service answers: so many requests with this status each, in turn; the last
/// status goes on for ever.
#[derive(Clone, Copy, Debug)]
pub struct Answers<'a>(pub &'a [(u32, u16)]);

impl Generation {
    /// `broken.service` fails at its start.
    pub fn with_failing_unit(self) -> Self {
        let unit = Unit::service("Type=oneshot\nExecStart=/bin/sh -c 'echo broken >&2; exit 3'");
        self.unit("broken.service", unit)
    }

    /// `dying.service` starts well, dies after `life` each time, and is restarted after
    /// `pause`.
    pub fn with_dying_unit(self, life: Duration, pause: Duration) -> Self {
        let (life, pause) = (life.as_secs_f32(), pause.as_secs_f32());
        self.unit(
            "dying.service",
            Unit::service(&format!(
                "ExecStart=/bin/sh -c 'sleep {life}; exit 1'\nRestart=always\nRestartSec={pause}"
            )),
        )
    }

    /// `hanging.service` never ends starting: no limit, and a job that stays.
    pub fn with_hanging_unit(self) -> Self {
        let lines = "Type=oneshot\nTimeoutStartSec=infinity\nExecStart=/bin/sleep infinity";
        self.unit("hanging.service", Unit::service(lines))
    }

    /// A mount that fails, which NixOS needs for the local file systems: the switch takes
    /// the machine to emergency mode.
    pub fn with_failing_mount(self) -> Self {
        self.fstab("none /mnt/data nosuchfs defaults 0 0\n")
    }

    /// sshd lets nobody log in any more; connections that are open stay.
    pub fn refusing_logins(self) -> Self {
        self.sshd_config("DenyUsers *")
    }

    /// sshd knows nobody's key any more.
    pub fn without_keys(self) -> Self {
        self.sshd_config("AuthorizedKeysFile none")
    }

    /// The administrators may use sudo no more.
    pub fn without_sudo(self) -> Self {
        self.sudoers("# nobody\n")
    }

    /// `http.service` listens on `port` once `after` has passed.
    pub fn http(self, port: u16, after: Duration, answers: Answers<'_>) -> Self {
        let plan: Vec<String> =
            answers.0.iter().map(|(count, status)| format!("{count}:{status}")).collect();
        let (after, plan) = (after.as_secs_f32(), plan.join(" "));
        let start =
            format!("ExecStart=/bin/sh -c 'sleep {after}; exec @services@/http {port} {plan}'");
        self.unit("http.service", Unit::service(&start))
    }
}
