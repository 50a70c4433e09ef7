//! `--dry-activate`: what the switch reports that it would do.

use deploy_wire::store_path::StorePath;

use crate::stages::ask::Probed;
use crate::{
    error::{Failure, Result},
    tools::{limit::ANSWER, shell, ssh::OnlyTheAgent},
};

/// Refuses before the build if the dry run would be refused.
pub fn is_allowed(probed: &Probed) -> Result<()> {
    let tried = probed.root.wrap("true");
    tried.map(drop).map_err(|only| not_allowed(&probed.machine.name, only))
}

fn not_allowed(name: &str, only: OnlyTheAgent) -> Box<Failure> {
    Failure::unchanged(format!("a dry run on {name} runs the new system's own program as root"))
        .because(only)
        .hint(Some("deploy plan --build shows what changes; --ssh-user names another user".into()))
}

/// Runs the new system's own dry run on the machine, as root. It runs code of the new closure and
/// trusts its output, so it is a preview and not a check.
pub async fn activate(probed: &Probed, toplevel: &StorePath) -> Result<Vec<String>> {
    let program = format!("{toplevel}/bin/switch-to-configuration");
    let inner = format!("{} dry-activate 2>&1", shell::quote(&program));
    let name = &probed.machine.name;
    let script = probed
        .root
        .wrap(&format!("sh -c {}", shell::quote(&inner)))
        .map_err(|only| not_allowed(name, only))?;
    let limit = ANSWER.max(probed.machine.timeouts.activation());
    let stdin = probed.root.stdin_prefix();
    let said = probed.place.run_within(limit, &script, &stdin).await.map_err(|error| {
        Failure::unchanged(format!("the dry run on {name} failed")).because(error)
    })?;
    Ok(said.lines().map(str::to_owned).collect())
}
