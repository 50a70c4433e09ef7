//! Which file is the agent for a machine.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use deploy_wire::machine::{Machine, Package, System};

use crate::{
    error::{Failure, Result},
    report::{Event, Report},
    tools::nix::Nix,
};

/// The agent's program on this computer: `--agent FILE`, the flake's, or the one
/// beside `deploy`.
pub async fn find(
    nix: &Nix,
    named: Option<&Path>,
    machine: &Machine,
    report: &Report,
) -> Result<PathBuf> {
    let system = machine.system;
    match (named, machine.agent.get(&system)) {
        (None, Some(package)) => build(nix, machine, package, report).await,
        _ => on_disk(named, system),
    }
}

async fn build(
    nix: &Nix,
    machine: &Machine,
    package: &Package,
    report: &Report,
) -> Result<PathBuf> {
    let tell = |progress| report.tell(Event::Build { machine: machine.name.clone(), progress });
    let out = nix.build(&package.drv, None, tell).await.map_err(|error| {
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
