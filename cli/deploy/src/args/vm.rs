//! `deploy vm`: which command takes which flags.

use std::path::PathBuf;

use clap::{Args, Subcommand, value_parser};

use super::{machines::Showing, secret_rules::AsJson};
use crate::vm::ports::Forward;

/// A virtual machine on this computer.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct VmArgs {
    /// What to do; without a command the machine is started.
    #[command(subcommand)]
    pub command: Option<VmCommand>,
    /// Starting it.
    #[command(flatten)]
    pub start: VmStartArgs,
}

/// Starting a machine.
#[derive(Debug, Args)]
pub struct VmStartArgs {
    /// The machine: frame1-vm, .#frame1-vm; without one, the flake's virtual machine for this
    /// computer's platform
    #[arg(value_name = "MACHINE")]
    pub machine: Option<String>,
    /// Lead this port of 127.0.0.1 to the guest's port; without it 8443:443, 8080:80, 2222:22
    #[arg(long = "port", value_name = "HERE:GUEST")]
    pub ports: Vec<Forward>,
    /// Memory, instead of the flake's
    #[arg(long, value_name = "MIB", value_parser = value_parser!(u32).range(64..))]
    pub memory: Option<u32>,
    /// Processor cores, instead of the flake's
    #[arg(long, value_name = "NUMBER", value_parser = value_parser!(u32).range(1..=512))]
    pub cores: Option<u32>,
    /// The size of a disk that is made now
    #[arg(long, value_name = "MIB", value_parser = value_parser!(u32).range(64..))]
    pub disk_size: Option<u32>,
    /// Make the disk anew with the flake's system; what is on it is lost
    #[arg(long)]
    pub fresh: bool,
    /// Show its screen in a window
    #[arg(long)]
    pub graphic: bool,
    /// Leave it running; `deploy vm stop` ends it
    #[arg(long)]
    pub detach: bool,
    /// The private key that it decrypts secrets with: yours, never another machine's host key
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Build in a container of this program, where nothing else here builds for Linux
    #[arg(long, value_name = "PROGRAM", value_parser = ["docker", "podman"])]
    pub build_in: Option<String>,
    /// How long it may take until its SSH answers
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// How it is shown.
    #[command(flatten)]
    pub showing: Showing,
}

/// What is done with machines that were started.
#[derive(Debug, Subcommand)]
pub enum VmCommand {
    /// Whether it is on, its ports, and what it booted
    Status(VmStatusArgs),
    /// Log in to it, or run a command there
    Ssh(VmSshArgs),
    /// Shut it down
    Stop(VmNameArgs),
    /// Its serial console
    Logs(VmLogsArgs),
    /// The virtual machines that have a disk here
    List(AsJson),
    /// Keep a machine (started by deploy vm)
    #[command(hide = true)]
    Keep(VmNameArgs),
}

/// Which of the machines that have a disk here.
#[derive(Debug, Args)]
pub struct VmNameArgs {
    /// The machine; without one, the only one that there is
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// Looking at one of them.
#[derive(Debug, Args)]
pub struct VmStatusArgs {
    /// The machine; without one, the only one that there is
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// How it is shown.
    #[command(flatten)]
    pub shown: AsJson,
}

/// Logging in.
#[derive(Debug, Args)]
pub struct VmSshArgs {
    /// The machine; without one, the only one that there is
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// The user
    #[arg(short = 'l', long, value_name = "USER", default_value = "root")]
    pub user: String,
    /// The command to run there, behind --
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Reading the console.
#[derive(Debug, Args)]
pub struct VmLogsArgs {
    /// The machine; without one, the only one that there is
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// How many lines, from the end
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 200)]
    pub lines: usize,
    /// Go on with what it prints, until Ctrl-C
    #[arg(short = 'F', long)]
    pub follow: bool,
}
