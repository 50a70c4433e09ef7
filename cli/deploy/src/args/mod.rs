//! The command line: which command accepts which flags.
//!
//! A command has a flag only if it honours the flag. Each group of flags is destructured field by
//! field where it is used, so that the compiler reports a flag that nothing reads. The table in
//! docs/commands.md lists the flags of each command, and
//! `every_flag_is_honoured_or_refused_by_its_name` compares it with the parser.

mod attempt;
mod building;
mod completion;
mod deploy_rs;
mod install;
mod iso;
mod machines;
mod new;
mod reach;
mod recipients;
mod secret_rules;
mod secrets;
mod vm;

use clap::{
    Args, CommandFactory, Parser, Subcommand,
    error::{ContextKind, ContextValue},
};
use clap_complete::CompleteEnv;
use deploy_wire::attempt::AttemptId;

use crate::stages::fleet::overrides::Overrides;

pub use attempt::{Asking, AttemptArgs, Rules};
pub use building::{BuildPlaceArgs, PushArgs};
pub use deploy_rs::DeployRs;
pub use install::InstallArgs;
pub use iso::IsoArgs;
pub use machines::{Machines, Showing};
pub use new::{AdoptArgs, MachineFolderArgs, NewMachineArgs};
pub use reach::{Identity, Reach};
pub use recipients::{AddRecipientArgs, RecipientsArgs, RecipientsCommand, RemoveRecipientArgs};
pub use secret_rules::{AsJson, KeyArgs, RulesArgs};
pub use secrets::{
    CheckArgs, EditArgs, ListArgs, NewArgs, RekeyArgs, RenameArgs, RmArgs, RotateArgs,
    SecretsCommand, ShowArgs, TextArgs,
};
pub use vm::{VmArgs, VmCommand, VmLogsArgs, VmNameArgs, VmSshArgs, VmStartArgs, VmStatusArgs};

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

impl CommandLine {
    /// Answers a shell that completes a command line, and ends this process then: a shell asks by
    /// the variable DEPLOY_COMPLETE, which the scripts below `share/` set.
    pub fn complete() {
        if std::env::var_os("DEPLOY_COMPLETE").is_some() {
            let asked = CompleteEnv::with_factory(Self::command).var("DEPLOY_COMPLETE");
            asked.completer("deploy").complete();
        }
    }

    /// Parses the command line of this process. Exits if it is wrong or asks for help.
    pub fn read() -> Self {
        Self::try_parse().unwrap_or_else(|mut error| {
            // clap suggests to pass the flag behind `--`. That is right for a flag of Nix, but
            // would hand a flag of ours that this command lacks to Nix.
            if let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg)
                && has(&Self::command(), flag)
            {
                error.remove(ContextKind::Suggested);
            }
            error.exit()
        })
    }
}

/// Whether the command or one of its subcommands has the flag.
fn has(command: &clap::Command, flag: &str) -> bool {
    let is_it = |name: &str| flag.strip_prefix("--") == Some(name);
    command.get_arguments().any(|arg| arg.get_long().is_some_and(is_it))
        || command.get_subcommands().any(|below| has(below, flag))
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
    Push(PushOnlyArgs),
    /// What runs, what boots, what is confirmed, how the last attempt ended
    Status(StatusArgs),
    /// Go back to an earlier generation, under the same guarantees
    Rollback(RollbackArgs),
    /// What a machine's journal has of an attempt
    Logs(LogsArgs),
    /// agenix's files: who can read which, and what is in them
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// Write the folder of a machine that is to be installed
    New(NewMachineArgs),
    /// Write the folder of a machine that runs NixOS; changes nothing there
    Adopt(AdoptArgs),
    /// The machine as a virtual machine on this computer
    Vm(VmArgs),
    /// The installation image, and its way to a USB stick
    Iso(IsoArgs),
    /// Install a machine on a computer that runs the installer
    Install(InstallArgs),
}

/// What the commands that change machines share.
#[derive(Debug, Args)]
pub struct ChangeArgs {
    /// Which machines.
    #[command(flatten)]
    pub machines: Machines,
    /// Who answers before anything is changed.
    #[command(flatten)]
    pub asking: Asking,
    /// How it is shown.
    #[command(flatten)]
    pub showing: Showing,
    /// Print after each machine how long each part took
    #[arg(long)]
    pub timings: bool,
    /// How the machines are reached.
    #[command(flatten)]
    pub reach: Reach,
    /// What the machine calls itself.
    #[command(flatten)]
    pub identity: Identity,
    /// How the closure and the agent travel.
    #[command(flatten)]
    pub push: PushArgs,
}

impl ChangeArgs {
    /// The values of these flags that take precedence over the flake's.
    pub fn overrides(&self) -> Overrides {
        self.push.overrides(self.reach.overrides(self.showing.overrides()))
    }
}

/// Deploying.
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// What is the same for push and rollback.
    #[command(flatten)]
    pub change: ChangeArgs,
    /// Where it is built.
    #[command(flatten)]
    pub place: BuildPlaceArgs,
    /// Run `nix flake check` first
    #[arg(long)]
    pub checks: bool,
    /// Whose profile; only root's is deployed
    #[arg(long, value_name = "USER")]
    pub profile_user: Option<String>,
    /// Show what the switch would do to the units; switch nothing
    #[arg(long, conflicts_with_all = ["boot", "test"])]
    pub dry_activate: bool,
    /// Try each machine's system as its virtual machine here first, and deploy only if its checks
    /// pass there
    #[arg(long)]
    pub rehearse: bool,
    /// How far the attempt goes.
    #[command(flatten)]
    pub attempt: AttemptArgs,
    /// When it is kept.
    #[command(flatten)]
    pub rules: Rules,
    /// What deploy-rs has besides.
    #[command(flatten)]
    pub deploy_rs: DeployRs,
}

/// Planning.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Which machines.
    #[command(flatten)]
    pub machines: Machines,
    /// How it is shown.
    #[command(flatten)]
    pub showing: Showing,
    /// How the machines are reached.
    #[command(flatten)]
    pub reach: Reach,
    /// What the machine calls itself.
    #[command(flatten)]
    pub identity: Identity,
    /// Build as well: paths, bytes, packages, units, whether a reboot is needed
    #[arg(long)]
    pub build: bool,
    /// Where it is built.
    #[command(flatten)]
    pub place: BuildPlaceArgs,
}

/// Building.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// Which machines.
    #[command(flatten)]
    pub machines: Machines,
    /// How it is shown.
    #[command(flatten)]
    pub showing: Showing,
    /// Build here (local) or on HOST
    #[arg(long, value_name = "PLACE")]
    pub build_on: Option<String>,
    /// Build in a container of this program, where nothing else here builds for Linux
    #[arg(
        long,
        value_name = "PROGRAM",
        value_parser = ["docker", "podman"],
        conflicts_with = "build_on"
    )]
    pub build_in: Option<String>,
}

/// Pushing without a switch.
#[derive(Debug, Args)]
pub struct PushOnlyArgs {
    /// What is the same for deploying and rollback.
    #[command(flatten)]
    pub change: ChangeArgs,
    /// Where it is built.
    #[command(flatten)]
    pub place: BuildPlaceArgs,
    /// Run `nix flake check` first
    #[arg(long)]
    pub checks: bool,
    /// Wait while somebody else deploys to the machine
    #[arg(long)]
    pub wait: bool,
}

/// Looking.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Which machines.
    #[command(flatten)]
    pub machines: Machines,
    /// How it is shown.
    #[command(flatten)]
    pub showing: Showing,
    /// How the machines are reached.
    #[command(flatten)]
    pub reach: Reach,
}

/// Going back.
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The generation to go to; without it, the one before the present one
    #[arg(long, value_name = "GENERATION")]
    pub to: Option<u64>,
    /// What is the same for deploying and push.
    #[command(flatten)]
    pub change: ChangeArgs,
    /// How far the attempt goes.
    #[command(flatten)]
    pub attempt: AttemptArgs,
    /// When it is kept.
    #[command(flatten)]
    pub rules: Rules,
}

/// Reading logs.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// The machine: frame1, .#frame1, path/or/ref#frame1; without one, all of them
    #[arg(value_name = "MACHINE")]
    pub machine: Option<String>,
    /// The attempt, eight hexadecimal digits; without one, the last
    #[arg(value_name = "ATTEMPT", value_parser = attempt_id)]
    pub attempt: Option<AttemptId>,
    /// Follow an attempt that is under way to its end, over new logins where one is lost
    #[arg(short = 'F', long)]
    pub follow: bool,
    /// How it is shown.
    #[command(flatten)]
    pub showing: Showing,
    /// How the machines are reached.
    #[command(flatten)]
    pub reach: Reach,
}

fn attempt_id(word: &str) -> Result<AttemptId, String> {
    AttemptId::parse(word).map_err(|error| error.to_string())
}
