//! The command line.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, value_parser};
use deploy_wire::{machine::BuildPlace, message::Mode};

use crate::{
    report::{Detail, Format},
    stages::{ask::Way, overrides::Overrides, plan::AcceptedName},
    tools::nix_error::Errors,
};

/// Deploys NixOS machines, and keeps only what a new login confirms.
#[derive(Debug, Parser)]
#[command(name = "deploy", version, args_conflicts_with_subcommands = true)]
pub struct CommandLine {
    /// What to do; a bare machine's name deploys it.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Deploying, the command without a name.
    #[command(flatten)]
    pub deploy: DeployArgs,
}

/// The commands with a name. They win over machines of the same name, which
/// `.#NAME` reaches.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// What would be built and what the machines say; changes nothing
    Plan(PlanArgs),
    /// Build the closures and print their paths
    Build(BuildArgs),
    /// Build and push the closures; switch nothing
    Push(DeployArgs),
    /// What runs, what boots, what is confirmed, how the last attempt ended
    Status(LookArgs),
    /// Go back to an earlier generation, under the same guarantees
    Rollback(RollbackArgs),
    /// What a machine's journal has of an attempt
    Logs(LogsArgs),
}

/// Which machines, and what beats the flake's values.
#[derive(Debug, Args, Clone)]
pub struct Machines {
    /// Machines: frame1, .#frame1, path/or/ref#frame1; without one, all of them
    #[arg(value_name = "MACHINE")]
    pub machines: Vec<String>,
    /// More machines, as deploy-rs takes them
    #[arg(long, num_args = 1.., value_name = "MACHINE")]
    pub targets: Vec<String>,
    /// Answer the question before anything is changed with yes
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// Print JSON, one document a line
    #[arg(long)]
    pub json: bool,
    /// Print build logs and what the switch prints
    #[arg(short = 'v', long, visible_short_alias = 'd', visible_alias = "debug-logs")]
    pub verbose: bool,
    /// Log in to this address instead
    #[arg(long, value_name = "HOST")]
    pub hostname: Option<String>,
    /// Log in as this user
    #[arg(long, value_name = "USER")]
    pub ssh_user: Option<String>,
    /// Arguments for ssh instead of the flake's, divided at spaces
    #[arg(long, value_name = "OPTS", allow_hyphen_values = true)]
    pub ssh_opts: Option<String>,
    /// Whose profile; only root's is deployed
    #[arg(long, value_name = "USER")]
    pub profile_user: Option<String>,
    /// Become root with this command instead of sudo
    #[arg(long, value_name = "COMMAND")]
    pub sudo: Option<String>,
    /// Ask for a sudo password once
    #[arg(long)]
    pub ask_sudo_password: bool,
    /// As --ask-sudo-password, in deploy-rs's way
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    pub interactive_sudo: Option<bool>,
    /// The machine is this computer: no SSH, and no login confirms
    #[arg(long)]
    pub local: bool,
    /// Accept that the machine calls itself NAME
    #[arg(long, value_name = "NAME")]
    pub accept_name: Option<String>,
    /// deploy-rs's way to name a file that is no flake; refused
    #[arg(short = 'f', long, value_name = "FILE", hide = true)]
    pub file: Option<PathBuf>,
    /// Arguments for nix, behind --
    #[arg(last = true, value_name = "NIX_ARGS")]
    pub nix_args: Vec<String>,
}

/// Where closures are built and how they travel.
#[derive(Debug, Args, Clone)]
pub struct Building {
    /// Build here (local), on the machine (target), or on HOST
    #[arg(long, value_name = "PLACE")]
    pub build_on: Option<String>,
    /// As --build-on target, in deploy-rs's way
    #[arg(long)]
    pub remote_build: bool,
    /// Whether everything is sent, instead of asking substituters first
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    pub fast_connection: Option<bool>,
    /// The agent for the machine's system
    #[arg(long, value_name = "FILE")]
    pub agent: Option<PathBuf>,
    /// Run `nix flake check` first
    #[arg(long)]
    pub checks: bool,
}

/// Deploying.
#[derive(Debug, Args, Clone)]
pub struct DeployArgs {
    /// Which machines.
    #[command(flatten)]
    pub machines: Machines,
    /// Where and how.
    #[command(flatten)]
    pub building: Building,
    /// Set the boot default only; nothing tries the system before it boots
    #[arg(long, conflicts_with_all = ["test", "dry_activate"])]
    pub boot: bool,
    /// Switch and confirm, but leave the boot default
    #[arg(long, conflicts_with = "dry_activate")]
    pub test: bool,
    /// Show what the switch would do to the units; switch nothing
    #[arg(long)]
    pub dry_activate: bool,
    /// Ask before each machine's switch
    #[arg(short = 'i', long)]
    pub interactive: bool,
    /// Wait while somebody else deploys to the machine
    #[arg(long)]
    pub wait: bool,
    /// Whether a failed switch goes back by itself (deploy-rs); false also needs
    /// no login to confirm
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    pub auto_rollback: Option<bool>,
    /// Whether a new login must confirm (deploy-rs)
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    pub magic_rollback: Option<bool>,
    /// Seconds in which a new login must confirm
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u64).range(1..))]
    pub confirm_timeout: Option<u64>,
    /// Seconds in which the switch must be over
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u64).range(1..))]
    pub activation_timeout: Option<u64>,
    /// What deploy-rs has and deploy does not need.
    #[command(flatten)]
    pub accepted: Accepted,
}

/// Flags of deploy-rs that are accepted and do nothing; each says so.
#[derive(Debug, Args, Clone)]
#[command(next_help_heading = "Accepted for deploy-rs's users, without effect")]
pub struct Accepted {
    /// Checks are not run unless --checks asks for them
    #[arg(short = 's', long)]
    pub skip_checks: bool,
    /// Signatures are not looked at: root at the machine takes the closure
    #[arg(short = 'c', long)]
    pub checksigs: bool,
    /// The closure is rooted on the machine
    #[arg(short = 'k', long)]
    pub keep_result: bool,
    /// See --keep-result
    #[arg(short = 'r', long, value_name = "PATH")]
    pub result_path: Option<String>,
    /// The machine's journal has the logs
    #[arg(long, value_name = "DIR")]
    pub log_dir: Option<String>,
    /// No file in /tmp takes part in the confirmation
    #[arg(long, value_name = "DIR")]
    pub temp_path: Option<String>,
    /// Machines that succeeded are never rolled back for others that did not
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    pub rollback_succeeded: Option<bool>,
}

/// Planning.
#[derive(Debug, Args, Clone)]
pub struct PlanArgs {
    /// Which machines.
    #[command(flatten)]
    pub machines: Machines,
    /// Where and how.
    #[command(flatten)]
    pub building: Building,
    /// Build as well: paths, bytes, packages, units, whether a reboot is needed
    #[arg(long)]
    pub build: bool,
}

/// Building.
#[derive(Debug, Args, Clone)]
pub struct BuildArgs {
    /// Which machines.
    #[command(flatten)]
    pub machines: Machines,
    /// Where and how.
    #[command(flatten)]
    pub building: Building,
}

/// Looking.
#[derive(Debug, Args, Clone)]
pub struct LookArgs {
    /// Which machines.
    #[command(flatten)]
    pub machines: Machines,
}

/// Reading logs.
#[derive(Debug, Args, Clone)]
pub struct LogsArgs {
    /// Follow an attempt that is under way to its end, over new logins where one is lost
    #[arg(short = 'F', long)]
    pub follow: bool,
    /// The machine, and behind it perhaps the attempt.
    #[command(flatten)]
    pub machines: Machines,
}

/// Going back.
#[derive(Debug, Args, Clone)]
pub struct RollbackArgs {
    /// The generation to go to; without it, the one before the present one
    #[arg(long, value_name = "GENERATION")]
    pub to: Option<u64>,
    /// Which machines, and how.
    #[command(flatten)]
    pub deploy: DeployArgs,
}

impl Machines {
    /// All machines that were named.
    pub fn words(&self) -> Vec<String> {
        self.machines.iter().chain(&self.targets).cloned().collect()
    }

    /// How to show.
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::People }
    }

    /// How much to show.
    pub fn detail(&self) -> Detail {
        if self.verbose { Detail::Everything } else { Detail::Normal }
    }

    /// How the machines are reached.
    pub fn way(&self) -> Way {
        if self.local { Way::Local } else { Way::Ssh }
    }

    /// The name that is accepted.
    pub fn accepted_name(&self) -> AcceptedName {
        AcceptedName(self.accept_name.clone())
    }

    /// What beats the flake's values.
    pub fn overrides(&self) -> Overrides {
        let words = |text: &String| text.split_whitespace().map(str::to_owned).collect();
        Overrides {
            hostname: self.hostname.clone(),
            ssh_user: self.ssh_user.clone(),
            ssh_opts: self.ssh_opts.as_ref().map(words),
            profile_user: self.profile_user.clone(),
            sudo: self.sudo.as_ref().map(words),
            ask_sudo_password: self.ask_sudo_password.then_some(true).or(self.interactive_sudo),
            confirm_required: self.local.then_some(false),
            nix_args: self.nix_args.clone(),
            errors: if self.verbose { Errors::Whole } else { Errors::Essence },
            ..Overrides::default()
        }
    }
}

impl Building {
    /// Adds what these flags say.
    pub fn overrides(&self, mut overrides: Overrides) -> Overrides {
        overrides.build = match (&self.build_on, self.remote_build) {
            (Some(place), _) => Some(BuildPlace::from(place.clone())),
            (None, true) => Some(BuildPlace::Target),
            (None, false) => None,
        };
        overrides.fast_connection = self.fast_connection;
        overrides
    }
}

impl DeployArgs {
    /// What beats the flake's values.
    pub fn overrides(&self) -> Overrides {
        let mut overrides = self.building.overrides(self.machines.overrides());
        let unconfirmed = self.auto_rollback == Some(false) || self.magic_rollback == Some(false);
        if unconfirmed {
            overrides.confirm_required = Some(false);
        } else if overrides.confirm_required.is_none() && self.magic_rollback == Some(true) {
            overrides.confirm_required = Some(true);
        }
        overrides.confirm_timeout = self.confirm_timeout;
        overrides.activation_timeout = self.activation_timeout;
        overrides
    }

    /// How far the attempt goes.
    pub fn mode(&self) -> Mode {
        match (self.boot, self.test) {
            (true, _) => Mode::Boot,
            (_, true) => Mode::Test,
            _ => Mode::Switch,
        }
    }
}

impl Accepted {
    /// One line for each flag that was given and does nothing.
    pub fn notes(&self) -> Vec<String> {
        let flags = [
            (self.skip_checks, "--skip-checks: checks run with --checks only"),
            (self.checksigs, "--checksigs: root on the machine takes the closure"),
            (
                self.keep_result || self.result_path.is_some(),
                "--keep-result: the machine roots the closure",
            ),
            (
                self.log_dir.is_some(),
                "--log-dir: the machine's journal has the logs, see deploy logs",
            ),
            (self.temp_path.is_some(), "--temp-path: no file takes part in the confirmation"),
            (
                self.rollback_succeeded == Some(true),
                "--rollback-succeeded: each machine is decided alone",
            ),
        ];
        flags
            .into_iter()
            .filter(|(given, _)| *given)
            .map(|(_, note)| format!("no effect: {note}"))
            .collect()
    }
}
