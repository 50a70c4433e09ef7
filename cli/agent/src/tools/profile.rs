//! A profile of a user: its link, by `nix-env` as that user, and its deploy-rs activation.

use std::{
    path::Path,
    process::{Child, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use deploy_wire::store_path::StorePath;

use super::{process::Ran, user::User};

/// How long a look at a user's own files may take: they may be on a network.
const LOOK: Duration = Duration::from_secs(10);
/// How long `nix-env` may take for a link.
const LIMIT: Duration = Duration::from_secs(30);

/// The link of a profile, and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct Profile<'a> {
    /// The user.
    pub user: &'a User,
    /// The link.
    pub link: &'a str,
}

impl Profile<'_> {
    /// Points the link to a store path, in a generation of its own.
    pub fn set(&self, path: &StorePath) -> Result<()> {
        let folder = Path::new(self.link).parent().unwrap_or(Path::new("/")).to_string_lossy();
        self.must("mkdir", &["-p", "--", &folder])?;
        self.nix_env(&["--set", path.as_str()])
    }

    /// Points the link to a generation that exists.
    pub fn switch_to(&self, generation: u64) -> Result<()> {
        self.nix_env(&["--switch-generation", &generation.to_string()])
    }

    /// Deletes a generation that the link does not name.
    pub fn delete(&self, generation: u64) -> Result<()> {
        self.nix_env(&["--delete-generations", &generation.to_string()])
    }

    /// Removes the link and its only generation.
    pub fn remove(&self, generation: Option<u64>) -> Result<()> {
        let made = generation.map(|number| format!("{}-{number}-link", self.link));
        let files: Vec<&str> = [Some(self.link), made.as_deref()].into_iter().flatten().collect();
        self.must("rm", &[&["-f", "--"], files.as_slice()].concat())
    }

    fn nix_env(&self, arguments: &[&str]) -> Result<()> {
        self.must("nix-env", &[&["--profile", self.link], arguments].concat())
    }

    fn must(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let ran = self.user.run(program, arguments, LIMIT)?;
        if !ran.succeeded() {
            let name = &self.user.name;
            bail!("{program} {} failed as {name}: {}", arguments.join(" "), ran.last_words());
        }
        Ok(())
    }

    /// Starts the activation of what the link names, as deploy-rs does, with its output in a
    /// pipe. The program is the store's own: whoever can write where the link is makes root run
    /// nothing else.
    pub fn activate(&self, path: &StorePath) -> Result<Child> {
        let program = script(path);
        let (read, write) = std::io::pipe().context("no pipe")?;
        let mut command = self.user.command(Path::new(&program));
        command.env("PROFILE", self.link).env("DRY_ACTIVATE", "0").env("BOOT", "0");
        command.current_dir(self.link).stdin(Stdio::null());
        command.stdout(write.try_clone().context("no pipe")?).stderr(write);
        let child = command.spawn().with_context(|| format!("{program} cannot be started"));
        let mut child = child?;
        child.stdout = Some(std::os::fd::OwnedFd::from(read).into());
        Ok(child)
    }
}

/// What deploy-rs runs of a profile.
pub fn script(path: &StorePath) -> String {
    format!("{path}/deploy-rs-activate")
}

/// Whether a user can run the activation of a profile.
pub fn can_run(user: &User, path: &StorePath) -> Result<Ran> {
    user.run("test", &["-x", &script(path)], LOOK)
}
