//! The flags for how a machine is reached, and whether it is the right one.

use clap::{ArgAction, Args};

use crate::{
    stages::{ask::Way, fleet::overrides::Overrides, plan::AcceptedName},
    tools::shell::{self, OpenQuote},
};

/// How the machines are reached. Every command that asks a machine has it.
#[derive(Debug, Args)]
pub struct Reach {
    /// Log in to this address instead
    #[arg(long, value_name = "HOST")]
    pub hostname: Option<String>,
    /// Log in as this user
    #[arg(long, value_name = "USER")]
    pub ssh_user: Option<String>,
    /// Options of ssh instead of the flake's, in one word, quoted as for a shell
    #[arg(long, value_name = "OPTS", allow_hyphen_values = true, value_parser = words)]
    pub ssh_opts: Option<Words>,
    /// Take any ssh options and builders of a flake that is no folder here: they may run commands
    #[arg(long)]
    pub allow_ssh_opts: bool,
    /// Become root with this command instead of sudo
    #[arg(long, value_name = "COMMAND", value_parser = words)]
    pub sudo: Option<Words>,
    /// Ask for the sudo password, once for each machine
    #[arg(long)]
    pub ask_sudo_password: bool,
    /// As --ask-sudo-password, in deploy-rs's way
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    pub interactive_sudo: Option<bool>,
    /// The machine is this computer: no SSH, and no login confirms
    #[arg(long)]
    pub local: bool,
}

/// What a machine may call itself. Looking does not need it: it names what it looked at.
#[derive(Debug, Args)]
pub struct Identity {
    /// Accept that the machine calls itself NAME
    #[arg(long, value_name = "NAME")]
    pub accept_name: Option<String>,
}

/// One word of the command line that is divided into words, as a shell does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Vec<String>);

fn words(text: &str) -> Result<Words, OpenQuote> {
    shell::split(text).map(Words)
}

impl Reach {
    /// Whether the machine is reached over SSH.
    pub fn way(&self) -> Way {
        if self.local { Way::Local } else { Way::Ssh }
    }

    /// Adds the values of these flags.
    pub fn overrides(&self, overrides: Overrides) -> Overrides {
        let Self {
            hostname,
            ssh_user,
            ssh_opts,
            allow_ssh_opts,
            sudo,
            ask_sudo_password,
            interactive_sudo,
            local,
        } = self;
        let words = |words: &Words| words.0.clone();
        Overrides {
            hostname: hostname.clone(),
            ssh_user: ssh_user.clone(),
            ssh_opts: ssh_opts.as_ref().map(words),
            allow_ssh_opts: *allow_ssh_opts,
            sudo: sudo.as_ref().map(words),
            ask_sudo_password: ask_sudo_password.then_some(true).or(*interactive_sudo),
            confirm_required: local.then_some(false),
            ..overrides
        }
    }
}

impl Identity {
    /// The name that the operator accepts.
    pub fn accepted(&self) -> AcceptedName {
        let Self { accept_name } = self;
        AcceptedName(accept_name.clone())
    }
}
