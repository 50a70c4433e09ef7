//! `--dry-activate`: what the switch says it would do.

use deploy_wire::store_path::StorePath;

use super::ask::Probed;
use crate::{
    error::{Failure, Result},
    tools::shell,
};

/// Runs the new system's own dry run on the machine, as root. It runs the new
/// closure's code and believes what that says: it is a preview, not a check.
pub async fn activate(probed: &Probed, toplevel: &StorePath) -> Result<Vec<String>> {
    let program = format!("{toplevel}/bin/switch-to-configuration");
    let inner = format!("{} dry-activate 2>&1", shell::quote(&program));
    let script = probed.root.wrap(&format!("sh -c {}", shell::quote(&inner)));
    let said = probed.place.run(&script, &probed.root.stdin_prefix()).await.map_err(|error| {
        Failure::unchanged(format!("the dry run on {} failed", probed.machine.name)).because(error)
    })?;
    Ok(said.lines().map(str::to_owned).collect())
}
