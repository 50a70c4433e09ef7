//! The flags for how far an attempt goes, who is asked first, and when the new system is kept.

use clap::{ArgAction, Args, value_parser};
use deploy_wire::attempt::Mode;

use crate::stages::fleet::overrides::Overrides;

/// Who answers before anything is changed.
#[derive(Debug, Args)]
pub struct Asking {
    /// Answer the question before anything is changed with yes
    #[arg(short = 'y', long)]
    pub yes: bool,
}

/// How far an attempt goes.
#[derive(Debug, Args)]
pub struct AttemptArgs {
    /// Set the boot default only; nothing tries the system before it boots
    #[arg(long, conflicts_with = "test")]
    pub boot: bool,
    /// Switch and confirm, but leave the boot default
    #[arg(long)]
    pub test: bool,
    /// Ask before each machine's switch
    #[arg(short = 'i', long)]
    pub interactive: bool,
    /// Wait while somebody else deploys to the machine
    #[arg(long)]
    pub wait: bool,
}

/// When a new system is kept.
#[derive(Debug, Args)]
pub struct Rules {
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
}

impl AttemptArgs {
    /// The attempt's mode: which system ends up running and booting.
    pub fn mode(&self) -> Mode {
        match (self.boot, self.test) {
            (true, _) => Mode::Boot,
            (_, true) => Mode::Test,
            _ => Mode::Switch,
        }
    }
}

impl Rules {
    /// Adds the values of these flags.
    pub fn overrides(&self, overrides: Overrides) -> Overrides {
        let Self { auto_rollback, magic_rollback, confirm_timeout, activation_timeout } = self;
        let unconfirmed = *auto_rollback == Some(false) || *magic_rollback == Some(false);
        let required = match (overrides.confirm_required, magic_rollback) {
            _ if unconfirmed => Some(false),
            (None, Some(true)) => Some(true),
            (before, _) => before,
        };
        Overrides {
            confirm_required: required,
            confirm_timeout: *confirm_timeout,
            activation_timeout: *activation_timeout,
            ..overrides
        }
    }
}
