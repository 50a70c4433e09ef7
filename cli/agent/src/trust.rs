//! How far the agent believes a request, and the request's line in the journal. Nothing here carries
//! a request out.

pub mod origin;

use deploy_wire::{
    attempt::Login,
    message::{Request, Stage},
};

use self::origin::Origin;
use crate::tools::journal;

/// Whether the agent believes a request's own commands and login. The command line decides, as it
/// does for sudo: the narrow sudo rule has no `--trusted`, and a user who may pass that flag is
/// root anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The agent believes the request.
    Request,
    /// The agent accepts only the wanted system's commands, and only the kernel's login.
    System,
}

impl From<bool> for Trust {
    fn from(trusted: bool) -> Self {
        if trusted { Self::Request } else { Self::System }
    }
}

impl Trust {
    /// The login of a request. The kernel's answer takes precedence. If the kernel has none (a
    /// server other than sshd, a connection other than TCP), the client's claim counts if the
    /// request is believed:
    /// `a-user-who-may-run-only-the-agent-confirms-by-no-login-that-is-not-there` proves it.
    pub fn login<'a>(self, origin: &'a Origin, claimed: Option<&'a Login>) -> Option<&'a Login> {
        origin.login.as_ref().or(claimed.filter(|_| self == Self::Request))
    }
}

/// Writes a request and its origin to the journal before the agent acts on it. A failure is
/// ignored: any user on the machine can fill the journal's queue, and could otherwise prevent a
/// confirmation.
pub fn note(origin: &Origin, request: &Request) {
    let Some(words) = words(request) else { return };
    if let Err(error) = journal::tell(&format!("{words}, from {origin}")) {
        eprintln!("deploy-agent: the journal did not take a note of this request: {error:#}");
    }
}

/// Describes a request. `None` for a request that changes nothing.
fn words(request: &Request) -> Option<String> {
    match request {
        Request::Status | Request::Logs { .. } | Request::Follow { .. } => None,
        Request::Stage(stage) => Some(staged(stage)),
        Request::Start { attempt } => Some(format!("asked to start attempt {attempt}")),
        Request::Confirm { attempt } => Some(format!("asked to confirm attempt {attempt}")),
        Request::AcceptBuilder(push) => Some(format!(
            "asked to let a builder log in as {} with {} paths, as push {}",
            push.user,
            push.paths.len(),
            push.word
        )),
        Request::AwaitBuilder => None,
        Request::Cancel { attempt, .. } => Some(format!("asked to give attempt {attempt} up")),
    }
}

/// Describes a request to stage: each closure whose programs will run, and the user they run as.
fn staged(stage: &Stage) -> String {
    let system = stage.machine.toplevel.is_some().then(|| stage.wanted.to_string());
    let profiles = stage.machine.other_profiles().into_iter();
    let profiles = profiles.map(|profile| format!("{} ({profile})", profile.path));
    let all: Vec<String> = system.into_iter().chain(profiles).collect();
    format!(
        "asked to stage {} as attempt {}, by {} at {} in the client's words",
        all.join(", "),
        stage.attempt,
        stage.operator.user,
        stage.operator.host
    )
}

#[cfg(test)]
mod tests {
    use deploy_wire::machine::Machine;

    use super::*;

    #[test]
    fn a_note_names_each_closure_that_is_activated_and_as_whom() {
        let path = |name: &str| format!("/nix/store/11111111111111111111111111111111-{name}");
        let note = |toplevel: serde_json::Value| {
            let machine = Machine::from_json(serde_json::json!({
                "version": 1, "name": "frame1", "system": "x86_64-linux",
                "toplevel": toplevel, "ssh": { "hostname": "frame1" },
                "profiles": [{ "name": "home", "user": "joe", "path": path("home"), "order": 1,
                               "script": "custom" }],
            }));
            let stage = serde_json::from_value::<Stage>(serde_json::json!({
                "attempt": "7f3a01c2", "operator": { "user": "ann", "host": "mac" },
                "mode": "switch", "wanted": path("system"), "expects": path("system"),
                "agent": path("agent"), "machine": machine.unwrap(),
            }));
            staged(&stage.unwrap())
        };
        let home = format!("{} (profile `home` of joe)", path("home"));
        let both = note(serde_json::json!({ "drv": path("a.drv"), "out": path("system") }));
        assert!(both.contains(&format!("stage {}, {home} as", path("system"))), "{both}");
        let alone = note(serde_json::Value::Null);
        assert!(alone.contains(&format!("stage {home} as")), "{alone}");
    }

    #[test]
    fn the_kernel_s_word_for_a_login_beats_the_client_s() {
        let login = |text: &str| Login::parse(text).unwrap();
        let (real, claimed) = (login("10.0.0.1 1 10.0.0.2 22"), login("10.0.0.1 2 10.0.0.2 22"));
        let over = |login| Origin { login, ..Origin::default() };
        for trust in [Trust::Request, Trust::System] {
            let origin = over(Some(real.clone()));
            assert_eq!(trust.login(&origin, Some(&claimed)), Some(&real));
            assert_eq!(trust.login(&origin, None), Some(&real));
        }
        let unknown = over(None);
        assert_eq!(Trust::Request.login(&unknown, Some(&claimed)), Some(&claimed));
        assert_eq!(Trust::System.login(&unknown, Some(&claimed)), None);
    }
}
