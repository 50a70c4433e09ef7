//! The closure travels to the machine, and the agent beside it.

use std::path::{Path, PathBuf};

use deploy_wire::{machine::System, store_path::StorePath};

use super::{
    ask::Probed,
    build::{Built, Where},
};
use crate::{
    error::{Failure, Result},
    report::{Event, Report, Stage},
    tools::{
        nix::{Nix, RemoteStore, Substitute},
        place::Place,
        shell,
        ssh::{Escalation, Login},
    },
};

/// A closure and an agent that are in the machine's store. Nothing roots them
/// yet: the agent does that first of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The NixOS system.
    pub toplevel: StorePath,
    /// The agent.
    pub agent: StorePath,
}

/// The agent's program on this computer: `--agent FILE`, or beside `deploy`.
pub fn find_agent(named: Option<&Path>, system: System) -> Result<PathBuf> {
    if let Some(file) = named {
        return if file.is_file() {
            Ok(file.to_owned())
        } else {
            Err(Failure::unchanged(format!("there is no agent at {}", file.display())).hint(Some(
                "--agent names the program deploy-agent for the machine's system".into(),
            )))
        };
    }
    let name = format!("deploy-agent-{system}");
    let beside = std::env::current_exe()
        .and_then(|program| program.canonicalize())
        .ok()
        .and_then(|program| Some(program.parent()?.parent()?.join("libexec").join(&name)));
    match beside {
        Some(file) if file.is_file() => Ok(file),
        _ => {
            let looked = beside
                .map_or_else(|| "beside deploy".to_owned(), |file| file.display().to_string());
            Err(Failure::unchanged(format!("there is no agent for {system}"))
                .because(format!("looked at {looked}"))
                .hint(Some(format!(
                    "three ways out: --agent FILE; `agent.{system}` in the flake; or a deploy that \
                     brings libexec/{name}"
                ))))
        }
    }
}

/// Sends what the machine lacks.
pub async fn push(
    nix: &Nix,
    probed: &Probed,
    built: &Built,
    agent: &Path,
    report: &Report,
) -> Result<Pushed> {
    let machine = &probed.machine;
    let name = &machine.name;
    report.tell(Event::Stage { machine: name.clone(), stage: Stage::Push });
    let agent = nix.add_file("deploy-agent", agent).await.map_err(|error| {
        Failure::unchanged("the agent cannot be put into the store here").because(error)
    })?;
    let pushed = Pushed { toplevel: built.toplevel.clone(), agent: agent.clone() };
    if matches!(probed.place, Place::Here) {
        return Ok(pushed);
    }
    let store = store_of(probed)?;
    let paths: Vec<&StorePath> = match built.place {
        Where::Here => vec![&built.toplevel, &agent],
        Where::OnTarget => vec![&agent],
    };
    let substitute = if machine.push.substitute { Substitute::First } else { Substitute::Never };
    let tell = |progress| report.tell(Event::Push { machine: name.clone(), progress });
    nix.copy(&paths, &store, substitute, tell).await.map_err(|error| {
        let text = error.to_string();
        let full = text.contains("No space left") || text.contains("disk is full");
        Failure::unchanged(format!("the system cannot be pushed to {name}")).because(text).hint(
            full.then(|| {
                format!("make room in /nix of {name}: nix-collect-garbage --delete-older-than 30d")
            }),
        )
    })?;
    Ok(pushed)
}

/// The machine's store for Nix's own commands, over the login that is there.
/// `sudo nix-daemon` is the other end, so the user need not be trusted by Nix.
pub fn store_of(probed: &Probed) -> Result<RemoteStore> {
    let login = probed.place.login().expect("a machine that is not here was logged in to");
    let daemon = match &probed.root {
        Escalation::Root => "nix-daemon".to_owned(),
        root => root.wrap("nix-daemon"),
    };
    let daemon =
        probed.facts.nix.as_ref().map_or(daemon.clone(), |path| daemon.replace("nix-daemon", path));
    let ssh_folder = match &probed.root {
        Escalation::WithPassword(_, password) => {
            Some(password_first(login, &password.line()).map_err(|error| {
                Failure::unchanged("the push cannot be prepared").because(error)
            })?)
        }
        Escalation::Root | Escalation::Free(_) => None,
    };
    Ok(RemoteStore {
        url: format!(
            "ssh-ng://{}?remote-program={}{}",
            login.target().user_at_host(),
            percent_encoded(&daemon),
            if probed.machine.push.compress { "&compress=true" } else { "" }
        ),
        sshopts: login.nix_sshopts(),
        ssh_folder,
    })
}

/// A folder with an `ssh` that first writes the password that sudo waits for.
/// Both are readable by this user only and go away with the login.
fn password_first(login: &Login, line: &str) -> std::io::Result<PathBuf> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let folder = login.folder().join("bin");
    std::fs::create_dir_all(&folder)?;
    let write = |file: &str, mode: u32, text: &str| {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(mode);
        options.open(folder.join(file))?.write_all(text.as_bytes())
    };
    let ssh = crate::tools::process::find("ssh", &[]).unwrap_or_else(|| "ssh".into());
    write("line", 0o600, line)?;
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in\n*nix-daemon*) {{ cat {line}; exec cat; }} | {ssh} \"$@\" ;;\n\
         *) exec {ssh} \"$@\" ;;\nesac\n",
        line = shell::quote(&folder.join("line").display().to_string()),
        ssh = shell::quote(&ssh.display().to_string()),
    );
    write("ssh", 0o700, &script)?;
    Ok(folder)
}

fn percent_encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
