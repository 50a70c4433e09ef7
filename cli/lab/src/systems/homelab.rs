//! This repository's own flake as a folder on the operator's computer, next to a stand-in for
//! nixpkgs whose systems a lab host can run (`systems/standin`). The inputs come from the inputs
//! folder, and the flake from the checkout that this program was built in.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::baseline::{self, Loader};
use super::files;
use super::fleet::{commit, write_here};
use super::nixpkgs;
use super::prepared::Prepared;
use crate::hosts::{Host, HostSpec, Lab, access, process};

/// Where the flake is on the operator's machine.
pub const HOMELAB_FOLDER: &str = "/root/homelab";

/// The arguments that replace the locked nixpkgs by the stand-in.
pub const OVERRIDE: &str = "--override-input nixpkgs path:/opt/nixpkgs";

/// The address that the flake gives frame1.
pub const FRAME1_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 168, 2, 241);

const NIXPKGS: &str = "/opt/nixpkgs";
const TOPLEVEL: &str = "nixosConfigurations.frame1.config.system.build.toplevel";

/// `mac` with the flake and its inputs, and `frame1`, which runs the flake's system and has the
/// address that the flake gives it.
pub const HOMELAB: Prepared = Prepared {
    name: "homelab",
    recipe: files::HOMELAB_RECIPE,
    inputs: &["nixpkgs", "agenix", "disko", "systems"],
    make: |lab| {
        let (mac, frame1) = hosts(lab)?;
        Homelab::default().write(&mac, &frame1)?;
        let build = format!("nix build --no-link --print-out-paths .#{TOPLEVEL} {OVERRIDE}");
        let system = mac.sh(&format!("cd {HOMELAB_FOLDER}; {build}"))?;
        mac.sh(&format!("nix copy --no-check-sigs --to ssh-ng://root@frame1 {system}"))?;
        baseline::install_system(&frame1, &system, Loader::Grub)
    },
};

/// The specification of `frame1` with its address in the flake.
///
/// # Errors
/// Never: the lab has a host of that name.
pub fn frame1() -> Result<HostSpec> {
    Ok(HostSpec::named("frame1")?.also_at(FRAME1_ADDRESS))
}

fn hosts(lab: &mut Lab) -> Result<(Host, Host)> {
    let mac = lab.new_host(HostSpec::named("mac")?)?;
    let frame1 = lab.new_host(frame1()?)?;
    mac.boot()?;
    frame1.boot()?;
    mac.wait_until_up()?;
    frame1.wait_until_up()?;
    access::connect(&mac, &frame1)?;
    Ok((mac, frame1))
}

/// The fault of a check's stub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StubFault {
    /// The stub is not started.
    Stopped,
    /// The stub fails or gives a wrong answer.
    Wrong,
}

/// Which secrets of the flake are encrypted files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secrets {
    /// All that the rules name, for the recipients in the rules.
    #[default]
    Made,
    /// None.
    Missing,
}

/// This repository's flake with changes by the operator.
#[derive(Clone, Debug, Default)]
pub struct Homelab {
    edits: Vec<(&'static str, String, String)>,
    faults: BTreeMap<String, &'static str>,
    secrets: Secrets,
}

impl Homelab {
    /// Replaces `old` by `new` in the file at `path`.
    pub fn edit(mut self, path: &'static str, old: &str, new: &str) -> Self {
        self.edits.push((path, old.to_owned(), new.to_owned()));
        self
    }

    /// Gives the stub of this check a fault.
    pub fn fault(mut self, check: &str, fault: StubFault) -> Self {
        let word = match fault {
            StubFault::Stopped => "stopped",
            StubFault::Wrong => "wrong",
        };
        self.faults.insert(check.to_owned(), word);
        self
    }

    /// Sets which secrets exist.
    pub fn secrets(self, secrets: Secrets) -> Self {
        Self { secrets, ..self }
    }

    /// Writes the flake to [`HOMELAB_FOLDER`] on `operator`, with the keys of `operator` and
    /// `frame1` in place of the examples, commits it, and copies the inputs to where Nix finds
    /// them. Both hosts must be on.
    ///
    /// # Errors
    /// When the checkout or an input cannot be read, an edit does not fit, or git or age fails.
    pub fn write(&self, operator: &Host, frame1: &Host) -> Result<()> {
        let folder = write_checkout(operator)?;
        let keys = folder.join("machines/keys.nix");
        let text = fs::read_to_string(&keys)?;
        let text = with_key(&text, "admin", &access::operator_key(operator)?)?;
        let text = with_key(&text, "frame1", &access::host_key(frame1)?)?;
        fs::write(&keys, text)?;
        for (path, old, new) in &self.edits {
            let file = folder.join(path);
            let text = fs::read_to_string(&file)?;
            if !text.contains(old.as_str()) {
                bail!("{path} does not contain `{old}`");
            }
            fs::write(file, text.replacen(old.as_str(), new, 1))?;
        }
        if self.secrets == Secrets::Made {
            make_secrets(operator)?;
        }
        commit(operator, HOMELAB_FOLDER)?;
        inputs(operator)?;
        self.nixpkgs(operator)
    }

    /// Copies the stand-in from the inputs folder, with the lab's own module.
    fn nixpkgs(&self, operator: &Host) -> Result<()> {
        let target = nixpkgs::copy_with_agent(operator, "nixpkgs", NIXPKGS)?;
        let extra = target.join("nixos/modules/extra");
        fs::create_dir_all(&extra)?;
        fs::write(extra.join("lab.nix"), "{ imports = [ ../../../lab/standin ]; }\n")?;
        let lab = target.join("lab");
        write_here(&lab, files::standin())?;
        fs::write(lab.join("standin/faults.json"), serde_json::to_string(&self.faults)?)?;
        Ok(())
    }
}

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Writes the checkout to [`HOMELAB_FOLDER`] on `operator`. Returns the folder's path on this
/// machine.
pub(super) fn write_checkout(operator: &Host) -> Result<PathBuf> {
    let folder = operator.root().join(&HOMELAB_FOLDER[1..]);
    clear(&folder)?;
    copy_checkout(&folder)?;
    Ok(folder)
}

/// Removes everything except the git repository.
fn clear(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with(".git") {
            fs::remove_dir_all(path)?;
        } else if path.is_file() {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Copies the files of the checkout that git tracks or would add, as they are in the working tree.
///
/// # Errors
/// When git or tar fails.
pub fn copy_checkout(folder: &Path) -> Result<()> {
    let script = "git ls-files -z --cached --others --exclude-standard | \
                  tar --null --files-from=- --create --ignore-failed-read | tar -x -C \"$1\"";
    process::run(
        Command::new("sh").args(["-euc", script, "sh"]).arg(folder).current_dir(checkout()),
    )
    .map(drop)
}

/// Replaces the key in the line `NAME = "ssh-…";` of `text` by `key`.
fn with_key(text: &str, name: &str, key: &str) -> Result<String> {
    let start = format!("{name} = \"ssh-");
    if !text.lines().any(|line| line.trim_start().starts_with(&start)) {
        bail!("machines/keys.nix has no key called {name}");
    }
    let line = |line: &str| {
        if line.trim_start().starts_with(&start) {
            format!("{name} = \"{}\";\n", key.trim())
        } else {
            format!("{line}\n")
        }
    };
    Ok(text.lines().map(line).collect())
}

/// Creates every file that agenix's rules name, for its recipients.
fn make_secrets(operator: &Host) -> Result<()> {
    for (file, readers) in secret_readers(operator)? {
        operator.sh(&format!("printf nixos | age {readers} -o {HOMELAB_FOLDER}/secrets/{file}"))?;
    }
    Ok(())
}

/// The files that agenix's rules name, each with age's arguments for its recipients.
///
/// # Errors
/// When the rules cannot be evaluated or read.
fn secret_readers(operator: &Host) -> Result<BTreeMap<String, String>> {
    let rules = format!("nix eval --json --file {HOMELAB_FOLDER}/secrets/secrets.nix");
    let rules: BTreeMap<String, BTreeMap<String, Vec<String>>> =
        serde_json::from_str(&operator.sh(&rules)?)?;
    let readers = |(file, rule): (String, BTreeMap<String, Vec<String>>)| {
        let keys = rule.get("publicKeys").context("a rule without publicKeys")?;
        let keys: Vec<String> = keys.iter().map(|key| format!("-r '{key}'")).collect();
        Ok((file, keys.join(" ")))
    };
    rules.into_iter().map(readers).collect()
}

/// Adds the locked inputs to the store, where Nix finds them by their hash.
pub(super) fn inputs(operator: &Host) -> Result<()> {
    for name in ["agenix", "disko", "systems"] {
        let folder = format!("/opt/inputs/{name}/source");
        if operator.root().join(&folder[1..]).exists() {
            continue;
        }
        fs::create_dir_all(operator.root().join("opt/inputs").join(name))?;
        nixpkgs::copy_input(operator, name, &folder)?;
        operator.sh(&format!("nix store add --name source {folder}"))?;
    }
    Ok(())
}
