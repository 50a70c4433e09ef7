//! `deploy install`: a machine on a computer that runs the installer.

use std::path::PathBuf;

use clap::{Args, value_parser};

use super::{
    attempt::Asking,
    machines::Showing,
    secret_rules::{KeyArgs, RulesArgs, RulesFileArg},
};

/// Installing a machine.
#[derive(Debug, Args)]
pub struct InstallArgs {
    /// The machine: frame1, .#frame1, path/or/ref#frame1
    #[arg(value_name = "MACHINE")]
    pub machine: String,
    /// The computer, which runs the installer: an address, a name or an alias of ssh_config
    #[arg(long, value_name = "HOST")]
    pub host: String,
    /// The port of its SSH server
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Go on where something is on its disks, or where it runs another system; NAME is the machine's
    #[arg(long, value_name = "NAME")]
    pub wipe: Option<String>,
    /// Give the machine this private host key, instead of a new one
    #[arg(long, value_name = "FILE")]
    pub host_key: Option<PathBuf>,
    /// Look at the computer and show every step and command; change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Build here (local) or on HOST
    #[arg(long, value_name = "PLACE")]
    pub build_on: Option<String>,
    /// Seconds in which the machine must answer after its restart
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = value_parser!(u64).range(1..))]
    pub boot_timeout: u64,
    /// Who answers before anything is changed.
    #[command(flatten)]
    pub asking: Asking,
    /// Which rules.
    #[command(flatten)]
    pub rules: RulesFileArg,
    /// With which private keys secrets are opened.
    #[command(flatten)]
    pub keys: KeyArgs,
    /// How it is shown.
    #[command(flatten)]
    pub showing: Showing,
}

impl InstallArgs {
    /// Which rules, and what Nix is told about them.
    pub fn rules(&self) -> RulesArgs {
        self.rules.for_secrets(self.showing.verbose)
    }
}
