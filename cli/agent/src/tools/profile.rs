//! A user's profile: `nix-env` sets its link as that user, and deploy-rs's script activates it.

use std::{
    path::Path,
    process::{Child, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use deploy_wire::store_path::StorePath;

use super::{process::Ran, user::User};

/// How long a look at a user's files may take. They may be on a network file system.
const LOOK: Duration = Duration::from_secs(10);
/// How long `nix-env` may take to change a link.
const LIMIT: Duration = Duration::from_secs(30);

/// The link of a profile and its owner.
#[derive(Debug, Clone, Copy)]
pub struct Profile<'a> {
    pub user: &'a User,
    pub link: &'a str,
}

impl Profile<'_> {
    /// Points the link to a store path, in a new generation.
    pub fn set(&self, path: &StorePath) -> Result<()> {
        let folder = Path::new(self.link).parent().unwrap_or(Path::new("/")).to_string_lossy();
        self.must("mkdir", &["-p", "--", &folder])?;
        self.nix_env(&["--set", path.as_str()])
    }

    /// Points the link to an existing generation.
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

    /// Starts the activation script of `path` as deploy-rs does, with its output in a pipe. The
    /// program is taken from the store, not from the link: a user who can change the link must not
    /// choose what root runs.
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

/// The script that deploy-rs runs for a profile.
pub fn script(path: &StorePath) -> String {
    format!("{path}/deploy-rs-activate")
}

/// Whether a user can run the activation of a profile.
pub fn can_run(user: &User, path: &StorePath) -> Result<Ran> {
    user.run("test", &["-x", &script(path)], LOOK)
}
