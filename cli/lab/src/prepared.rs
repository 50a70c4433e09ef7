//! Hosts that are set up once and copied for each test: a test starts from disks that
//! hold a store, keys and a baseline, and costs the copying alone.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::access;
use crate::base::BaseRoot;
use crate::cache;
use crate::host::{Host, HostSpec};
use crate::lab::Lab;
use crate::supervisor::Supervisor;
use crate::systems::{BASELINE, HOMELAB, READY, REAL, SERVICES};

/// Asks the inside of a lab to make a prepared set; the set's name follows.
pub const WORD: &str = "prepare";

/// A set of hosts that belong together: they know each other's keys.
#[derive(Clone, Copy)]
pub struct Prepared {
    /// The set's name.
    pub name: &'static str,
    /// All that decides what is on the disks, as text (also of the code that makes them):
    /// when it changes, the set is made anew.
    pub recipe: &'static [&'static str],
    /// Folders of `~/.cache/deploy-lab/inputs` that it is made from.
    pub inputs: &'static [&'static str],
    /// Makes the hosts in a fresh lab. Those that are left on are shut down and saved.
    pub make: fn(&mut Lab) -> Result<()>,
}

/// The operator's machine `mac` and the machine `frame1`, which accepts the operator's key
/// for root, admin and askadmin. No system is deployed.
pub const PAIR: Prepared = Prepared {
    name: "pair",
    recipe: &[include_str!("prepared.rs"), include_str!("access.rs")],
    inputs: &[],
    make: |lab| {
        let mac = lab.new_host(HostSpec::named("mac")?)?;
        let frame1 = lab.new_host(HostSpec::named("frame1")?)?;
        for host in [&mac, &frame1] {
            host.boot()?;
        }
        for host in [&mac, &frame1] {
            host.wait_until_up()?;
        }
        access::connect(&mac, &frame1)
    },
};

/// Every set that this library knows.
pub const ALL: &[Prepared] = &[PAIR, BASELINE, HOMELAB, REAL, READY, SERVICES];

impl Prepared {
    /// The set called `name`.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<Self> {
        match ALL.iter().find(|set| set.name == name) {
            Some(set) => Ok(*set),
            None => bail!("there is no prepared set called {name}"),
        }
    }

    /// Why the set cannot be made on this machine.
    pub fn missing(&self) -> Option<String> {
        let inputs = match cache::folder() {
            Ok(folder) => folder.join("inputs"),
            Err(error) => return Some(format!("{error:#}")),
        };
        let absent = self.inputs.iter().find(|input| !inputs.join(input).exists())?;
        Some(format!("there is no {}", inputs.join(absent).display()))
    }

    /// Makes the set when it is missing, in a lab of its own. The calling program's inside
    /// must answer [`WORD`] with [`make_and_save`].
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

    fn folder(&self) -> Result<PathBuf> {
        let base = BaseRoot::version();
        let every = [base.as_str(), include_str!("host/identity.rs"), include_str!("host.rs")];
        // The list of what the inputs are, with their versions.
        let inputs = match self.inputs {
            [] => String::new(),
            _ => fs::read_to_string(cache::folder()?.join("inputs/locked"))?,
        };
        let version = cache::version(&[&every, self.recipe, &[&inputs]].concat());
        Ok(cache::folder()?.join(format!("images/{}-{version}", self.name)))
    }
}

/// The inside of [`Prepared::ensure`].
///
/// # Errors
/// When a host cannot be made or saved.
pub fn make_and_save(lab: &mut Lab, name: &str) -> Result<()> {
    let set = Prepared::named(name)?;
    let folder = set.folder()?;
    let making = folder.with_extension("making");
    if making.exists() {
        fs::remove_dir_all(&making)?;
    }
    fs::create_dir_all(&making)?;
    (set.make)(lab)?;
    for host in lab.hosts() {
        if host.is_on() {
            host.halt()?;
        }
        host.save(&making.join(host.name()))?;
    }
    rustix::fs::syncfs(fs::File::open(&making)?)?;
    fs::rename(&making, &folder).context("cannot keep the prepared set")
}

impl Lab {
    /// Makes the host `name` of a prepared set, switched off.
    ///
    /// # Errors
    /// When the set has no such host.
    pub fn prepared(&mut self, set: &Prepared, name: &str) -> Result<Host> {
        self.prepared_as(set, name, HostSpec::named(name)?)
    }

    /// Makes a copy of the host `from` of a prepared set, switched off. Under another name
    /// it becomes another machine when it boots: other machine-id, host key and name.
    /// Nobody knows its key then: [`access::connect`].
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
