//! The programs under test: the unchanged output of `scripts/build` in `dist/`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::hosts::host::Host;
use crate::hosts::process;

/// The path of `deploy` on hosts prepared by [`install`].
pub const DEPLOY: &str = "/opt/deploy/bin/deploy";

/// The path of the agent for these hosts.
pub const AGENT: &str = "/opt/deploy/libexec/deploy-agent-x86_64-linux";

/// The output folder of `scripts/build`.
///
/// # Errors
/// When it has no programs.
pub fn folder() -> Result<PathBuf> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist");
    for program in ["bin/deploy", "libexec/deploy-agent-x86_64-linux"] {
        if !dist.join(program).exists() {
            bail!("there is no dist/{program}: run scripts/build first");
        }
    }
    Ok(dist.canonicalize()?)
}

/// Copies only the agent, to `file`.
///
/// # Errors
/// When it is not built.
pub fn copy_agent(file: &Path) -> Result<()> {
    let agent = folder()?.join("libexec/deploy-agent-x86_64-linux");
    std::fs::copy(&agent, file)
        .map(drop)
        .with_context(|| format!("cannot copy {}", agent.display()))
}

/// Copies the programs to /opt/deploy on `host`.
///
/// # Errors
/// When they are not built.
pub fn install(host: &Host) -> Result<()> {
    let target = host.root().join("opt/deploy");
    std::fs::create_dir_all(&target)?;
    process::run(
        Command::new("cp")
            .args(["--recursive", "--no-target-directory"])
            .arg(folder()?)
            .arg(target),
    )
    .map(drop)
}
