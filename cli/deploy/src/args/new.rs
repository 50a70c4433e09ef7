//! `deploy new` and `deploy adopt`: a machine's folder in the fleet.

use std::path::PathBuf;

use clap::Args;

use super::secret_rules::{KeyArgs, RulesArgs};
use crate::scaffold::answers;

/// What both commands take.
#[derive(Debug, Args)]
pub struct MachineFolderArgs {
    /// A service to begin with, by its page in docs/services; may be repeated, or a list with commas
    #[arg(long = "service", value_name = "NAME", value_delimiter = ',')]
    pub services: Vec<String>,
    /// The domain of its sites, if a service has one
    #[arg(long, value_name = "DOMAIN", value_parser = answers::domain)]
    pub domain: Option<String>,
    /// Your public key, for a file of keys that has none in `admins`
    #[arg(long, value_name = "FILE")]
    pub admin_key: Option<PathBuf>,
    /// With which keys secrets are opened that the machine is to read.
    #[command(flatten)]
    pub keys: KeyArgs,
    /// Which rules.
    #[command(flatten)]
    pub rules: RulesArgs,
}

/// A machine that is to be installed.
#[derive(Debug, Args)]
pub struct NewMachineArgs {
    /// The machine's name: frame2, path/to/flake#frame2
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Its platform: x86_64-linux or aarch64-linux
    #[arg(long, value_name = "PLATFORM", value_parser = answers::platform)]
    pub platform: Option<String>,
    /// The disk that it is to be installed on, as /dev/disk/by-id/…
    #[arg(long, value_name = "DISK", value_parser = answers::disk)]
    pub disk: Option<String>,
    /// The name or IP address by which SSH is to reach it
    #[arg(long, value_name = "HOST", value_parser = answers::address)]
    pub address: Option<String>,
    /// The release of NixOS that it is installed with; without one, the release of the flake's nixpkgs
    #[arg(long, value_name = "RELEASE", value_parser = answers::release)]
    pub state_version: Option<String>,
    /// Write no folder of a virtual machine beside it
    #[arg(long)]
    pub no_vm: bool,
    /// What `adopt` has too.
    #[command(flatten)]
    pub folder: MachineFolderArgs,
}

/// A machine that runs NixOS already.
#[derive(Debug, Args)]
pub struct AdoptArgs {
    /// The machine, as ssh reaches it: [USER@]HOST[:PORT]
    #[arg(value_name = "HOST")]
    pub host: String,
    /// Its name in the fleet; without one, what it calls itself
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The release that it was installed with, where its own configuration does not say it
    #[arg(long, value_name = "RELEASE", value_parser = answers::release)]
    pub state_version: Option<String>,
    /// What `new` has too.
    #[command(flatten)]
    pub folder: MachineFolderArgs,
}
