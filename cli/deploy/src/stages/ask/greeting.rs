//! The script that a login runs first.

use std::path::Path;

use deploy_wire::{
    WIRE_VERSION,
    machine::Machine,
    message::{Asked, Request},
    store_path::StorePath,
};

use crate::tools::{
    shell,
    ssh::{Escalation, INSTALLED, may, without_password},
};

/// A file that every NixOS system has and that is never a link in one. A link to it therefore leads
/// to the system, whatever package is around that.
pub const MARKER: &str = "nixos-version";

const FACTS: &str = include_str!("ask.sh");

/// The script that asks for the facts. A deploy-rs profile never reaches the machine, so the wanted
/// system is resolved on this computer if it is here.
fn facts(machine: &Machine) -> String {
    let wanted = machine.toplevel.as_ref().map(|toplevel| {
        let system = Path::new(toplevel.out.as_str()).join(MARKER).canonicalize().ok();
        let system = system.and_then(|file| StorePath::containing(file.to_str()?).ok());
        system.unwrap_or_else(|| toplevel.out.clone())
    });
    let wanted = wanted.as_ref().map_or("", StorePath::as_str);
    let profiles = profiles(machine);
    format!("WANTED={}\nprofiles() {{\n{profiles}:\n}}\n{FACTS}", shell::quote(wanted))
}

/// Asks for each profile besides the system: the id of its user and the target of its link. The
/// default path is deploy-rs's.
fn profiles(machine: &Machine) -> String {
    let mut script = String::new();
    for (index, profile) in machine.other_profiles().into_iter().enumerate() {
        let (user, name) = (shell::quote(&profile.user), shell::quote(&profile.name));
        script.push_str(&format!("say profileUser-{index} \"$(id -u {user} 2>/dev/null)\"\n"));
        let link = match &profile.profile_path {
            Some(place) => format!("link={}", shell::quote(place)),
            None if profile.user == "root" => {
                format!("link=/nix/var/nix/profiles/per-user/root/{name}")
            }
            None => format!(
                "link=/nix/var/nix/profiles/per-user/{user}; [ -d \"$link\" ] || \
                 link=$(getent passwd {user} | cut -d: -f6)/.local/state/nix/profiles\n\
                 link=$link/{name}"
            ),
        };
        script.push_str(&format!("{link}\nsay profile-{index} \"$(real \"$link\")\"\n"));
    }
    script
}

/// The script as one command: `sh -c '…'`.
pub fn facts_as_word(machine: &Machine) -> String {
    format!("sh -c {}", shell::quote(&facts(machine)))
}

/// The same, where the shell variable `facts` has the script.
const FACTS_THERE: &str = "sh -c \"$facts\"";

/// Reports who the user is, and asks for all facts at once if no password is needed. The login is
/// then the only round trip.
pub fn script(machine: &Machine) -> String {
    let facts = shell::quote(&facts(machine));
    let mut script = format!(
        "printf '@login %s\\n' \"$SSH_CONNECTION\"\nprintf '@shell %s\\n' \"$SHELL\"\n\
         facts={facts}\n\
         if [ \"$(id -u)\" = 0 ]; then echo '@root uid0'; {FACTS_THERE}"
    );
    if let Some(sudo) = &machine.sudo {
        let sudo = &sudo.command;
        let (test, run) = (without_password(sudo, "true"), without_password(sudo, FACTS_THERE));
        let general = may(sudo, "sh").unwrap_or_else(|| "false".into());
        script.push_str(&format!(
            "\nelif said=$({test} 2>&1); then echo '@root free'; {run}\n\
             else\n{}\ncase $reply in '{{'*)\n\
             echo '@root agent'; if {general} >/dev/null 2>&1; then echo '@more yes'; fi\n\
             printf '@reply %s\\n' \"$reply\"; {FACTS_THERE} ;;\n\
             *) echo '@root none'; printf '@sudoSaid %s\\n' \"$said\" | tail -n 1\n\
             printf '@agentSaid %s\\n' \"$reply\" ;; esac",
            reply(sudo)
        ));
    }
    script.push_str("\nfi");
    script
}

/// Asks again, where sudo lets the user run only the agent.
pub fn script_for_agent_alone(machine: &Machine, sudo: &[String]) -> String {
    format!("{}\nprintf '@reply %s\\n' \"$reply\"; {}", reply(sudo), facts_as_word(machine))
}

/// Sets `reply` to the answer of the installed agent, which runs as root and can read more than the
/// user. sudo says only at the second step that a user needs a password for it.
fn reply(sudo: &[String]) -> String {
    let Some(may) = may(sudo, &format!("{INSTALLED} serve")) else { return "reply=".into() };
    let asked = Asked { version: WIRE_VERSION, login: None, request: Request::Status };
    let asked = serde_json::to_string(&asked).expect("a request is JSON");
    let serve = Escalation::AgentAlone(sudo.to_vec()).serve(INSTALLED);
    format!(
        "reply=; if {may} >/dev/null 2>&1; then \
         reply=$(printf '%s\\n' {} | {serve} 2>&1 | tail -n 1); fi",
        shell::quote(&asked)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The output of the script when sudo is this sh script, which gets the arguments in `$*`.
    fn said(sudo: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("sudo");
        std::fs::write(&program, format!("#!/bin/sh\n{sudo}\n")).unwrap();
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        // The script must not notice that the test runs as root.
        let id = folder.path().join("id");
        std::fs::write(&id, "#!/bin/sh\necho 1000\n").unwrap();
        std::fs::set_permissions(&id, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let machine = Machine::from_json(serde_json::json!({
            "version": 1, "name": "frame1", "system": "x86_64-linux",
            "toplevel": {
                "drv": "/nix/store/00000000000000000000000000000000-x.drv",
                "out": "/nix/store/00000000000000000000000000000000-x",
            },
            "ssh": { "hostname": "frame1" },
            "sudo": { "command": ["sudo"], "ask": false },
        }))
        .unwrap();
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
        let ran = std::process::Command::new("sh")
            .args(["-c", &script(&machine)])
            .env("PATH", path)
            .output()
            .unwrap();
        String::from_utf8(ran.stdout).unwrap()
    }

    const NO: &str = "echo 'sudo: a password is required' >&2; exit 1";

    #[test]
    fn the_way_to_root_is_found_in_one_breath() {
        let agent = format!("'-n -l {INSTALLED} serve') exit 0 ;; '-n {INSTALLED} serve')");
        let narrow = format!(
            "case $* in {agent} read -r asked; echo '{{\"version\":1,\"is\":\"done\"}}';; *) {NO};; esac"
        );
        let text = said(&narrow);
        assert!(
            text.contains("@root agent\n@reply {\"version\":1,\"is\":\"done\"}\n@machine "),
            "{text}"
        );
        assert!(text.ends_with("@facts end\n"), "{text}");
        // sudo lists both: an administrator's rule with a password, and a rule without one.
        let both = format!("case $* in '-n -l '*) exit 0 ;; *) {NO} ;; esac");
        let text = said(&both);
        assert!(text.contains("@root none\n@sudoSaid sudo: a password is required\n"), "{text}");
        let text = said(&narrow.replace("case $* in", "case $* in '-n -l sh') exit 0 ;;"));
        assert!(text.contains("@root agent\n@more yes\n@reply"), "{text}");
        let text = said("shift; exec \"$@\"");
        assert!(text.contains("@root free\n@machine ") && !text.contains("@reply"), "{text}");
        let text = said(NO);
        assert!(text.contains("@root none\n") && !text.contains("@facts"), "{text}");
    }
}
