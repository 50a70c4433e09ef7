//! Hosts that are set up once and copied for each test. A test then starts from disks with a store,
//! keys and a baseline, and only pays for the copy.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::hosts::supervisor::Supervisor;
use crate::hosts::{BaseRoot, Host, HostSpec, Lab, cache};

/// The argument that makes the inside of a lab prepare a set; the set's name follows.
pub const WORD: &str = "prepare";

/// A set of hosts that know each other's keys.
#[derive(Clone, Copy)]
pub struct Prepared {
    /// The set's name.
    pub name: &'static str,
    /// Everything that determines the contents of the disks, as text, including the code that
    /// creates them. When it changes, the set is created again.
    pub recipe: &'static [&'static str],
    /// Folders of `~/.cache/deploy-lab/inputs` that the set is created from.
    pub inputs: &'static [&'static str],
    /// Creates the hosts in a new lab. Hosts that are still on are shut down and saved.
    pub make: fn(&mut Lab) -> Result<()>,
}

impl Prepared {
    /// Why the set cannot be created on this machine; `None` if it can.
    pub fn missing(&self) -> Option<String> {
        let inputs = match cache::folder() {
            Ok(folder) => folder.join("inputs"),
            Err(error) => return Some(format!("{error:#}")),
        };
        let absent = self.inputs.iter().find(|input| !inputs.join(input).exists())?;
        Some(format!("there is no {}", inputs.join(absent).display()))
    }

    /// Creates a missing set in its own lab. The calling program's inside must handle [`WORD`] with
    /// [`super::sets::make_and_save`].
    ///
    /// # Errors
    /// When making it fails.
    pub fn ensure(&self) -> Result<()> {
        let folder = self.folder()?;
        if folder.exists() {
            return Ok(());
        }
        let _making = cache::lock("images")?;
        if folder.exists() {
            return Ok(());
        }
        let begun = Instant::now();
        let words = [OsStr::new(WORD), OsStr::new(self.name)];
        let mut lab = Supervisor::start(&words, |_| ())?;
        let status = lab.wait()?;
        if !status.success() {
            bail!("the prepared set {} was not made ({status})", self.name);
        }
        eprintln!("lab: {} prepared in {:.1} s", self.name, begun.elapsed().as_secs_f32());
        Ok(())
    }

    /// The inside of [`Prepared::ensure`].
    pub(super) fn make_and_save(&self, lab: &mut Lab) -> Result<()> {
        let folder = self.folder()?;
        let making = folder.with_extension("making");
        if making.exists() {
            fs::remove_dir_all(&making)?;
        }
        fs::create_dir_all(&making)?;
        (self.make)(lab)?;
        for host in lab.hosts() {
            if host.is_on() {
                host.halt()?;
            }
            host.save(&making.join(host.name()))?;
        }
        rustix::fs::syncfs(fs::File::open(&making)?)?;
        fs::rename(&making, &folder).context("cannot keep the prepared set")
    }

    fn folder(&self) -> Result<PathBuf> {
        let base = BaseRoot::version();
        let identity = include_str!("../hosts/host/identity.rs");
        let every = [base.as_str(), identity, include_str!("../hosts/spec.rs")];
        // The list of inputs with their versions.
        let inputs = match self.inputs {
            [] => String::new(),
            _ => fs::read_to_string(cache::folder()?.join("inputs/locked"))?,
        };
        let version = cache::version(&[&every, self.recipe, &[&inputs]].concat());
        Ok(cache::folder()?.join(format!("images/{}-{version}", self.name)))
    }
}

impl Lab {
    /// Creates the host `name` of a prepared set, switched off.
    ///
    /// # Errors
    /// When the set has no such host.
    pub fn prepared(&mut self, set: &Prepared, name: &str) -> Result<Host> {
        self.prepared_as(set, name, HostSpec::named(name)?)
    }

    /// Creates a copy of the host `from` of a prepared set, switched off. With another name it
    /// becomes another machine when it boots, with a new machine-id, host key and name. Its key is
    /// then unknown to the others: [`crate::hosts::access::connect`].
    ///
    /// # Errors
    /// When the set has no such host.
    pub fn prepared_as(&mut self, set: &Prepared, from: &str, spec: HostSpec) -> Result<Host> {
        set.ensure()?;
        let saved = set.folder()?.join(from);
        if !saved.exists() {
            bail!("the prepared set {} has no host {from}", set.name);
        }
        self.restore_host(spec, &saved)
    }
}
