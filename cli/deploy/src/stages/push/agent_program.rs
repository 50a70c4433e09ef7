//! The choice of the agent's program for a machine.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use deploy_wire::{
    machine::{Machine, Package, System},
    store_path::StorePath,
};

use crate::{
    error::{Failure, Result},
    report::{Event, Report},
    tools::{nix::Nix, ssh::OnlyTheAgent},
};

/// The agent for a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agent {
    /// An agent of the local store, which is pushed to the machine.
    Brought(StorePath),
    /// The agent that is part of the machine's system.
    Installed(StorePath),
}

impl Agent {
    /// Its path in the machine's store, before or after the push.
    pub fn path(&self) -> &StorePath {
        match self {
            Self::Brought(path) | Self::Installed(path) => path,
        }
    }
}

/// Finds the agent's program: `--agent FILE`, the flake's, or the one beside `deploy`. If sudo
/// allows only the `installed` agent, that one is used.
pub async fn find(
    nix: &Nix,
    named: Option<&Path>,
    installed: Option<&StorePath>,
    machine: &Machine,
    report: &Report,
) -> Result<Agent> {
    let system = machine.system;
    let file = match (installed, named, machine.agent.get(&system)) {
        (Some(installed), None, _) => return Ok(Agent::Installed(installed.clone())),
        (Some(_), Some(file), _) => {
            let what = format!("{} cannot be brought to {}", file.display(), machine.name);
            return Err(Failure::unchanged(what)
                .because(OnlyTheAgent)
                .hint(Some("leave --agent out, or name another user with --ssh-user".into())));
        }
        (None, None, Some(package)) => build(nix, machine, package, report).await?,
        (None, ..) => on_disk(named, system)?,
    };
    let added = nix.add_file("deploy-agent", &file).await;
    let failed = "the agent cannot be put into the store here";
    added.map(Agent::Brought).map_err(|error| Failure::unchanged(failed).because(error))
}

async fn build(
    nix: &Nix,
    machine: &Machine,
    package: &Package,
    report: &Report,
) -> Result<PathBuf> {
    let tell = |progress| report.tell(Event::Build { machine: machine.name.clone(), progress });
    let out = nix.build(&package.drv, None, tell, |_| {}).await.map_err(|error| {
        Failure::unchanged(format!("the flake's agent for {} cannot be built", machine.system))
            .because(error)
            .hint(Some("--agent FILE names one that is built".into()))
    })?;
    Ok(Path::new(out.as_str()).join("bin/deploy-agent"))
}

fn on_disk(named: Option<&Path>, system: System) -> Result<PathBuf> {
    if let Some(file) = named {
        let wrong = |what: String| {
            Err(Failure::unchanged(what).hint(Some(
                "--agent names the program deploy-agent for the machine's system".into(),
            )))
        };
        return match file.metadata() {
            Ok(found) if found.is_file() && found.permissions().mode() & 0o111 != 0 => {
                Ok(file.to_owned())
            }
            Ok(_) => wrong(format!("{} is no program", file.display())),
            Err(_) => wrong(format!("there is no agent at {}", file.display())),
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
