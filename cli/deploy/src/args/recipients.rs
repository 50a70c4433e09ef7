//! `deploy secrets recipients`: which command takes which flags.

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCompleter;

use super::{
    completion,
    secret_rules::{AsJson, KeyArgs, RulesArgs},
};

/// Looking at the keys.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct RecipientsArgs {
    /// What is changed of them.
    #[command(subcommand)]
    pub change: Option<RecipientsCommand>,
    /// Which rules.
    #[command(flatten)]
    pub rules: RulesArgs,
    /// How it is shown.
    #[command(flatten)]
    pub shown: AsJson,
}

/// What is changed of keys.
#[derive(Debug, Subcommand)]
pub enum RecipientsCommand {
    /// Put a key into the file that has the keys, and encrypt anew what it is to read
    Add(AddRecipientArgs),
    /// Take a key out of the files that name it, and encrypt anew what it could read
    Remove(RemoveRecipientArgs),
}

/// Adding a key, or giving a name another one.
#[derive(Debug, Args)]
pub struct AddRecipientArgs {
    /// Whose key it is: frame1, or with its set machines.frame1
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(completion::recipients))]
    pub name: String,
    /// The key: ssh-ed25519, ssh-rsa or one of age's own; in quotes
    #[arg(value_name = "KEY", required_unless_present = "from_host", conflicts_with = "from_host")]
    pub key: Option<String>,
    /// Take the host key of HOST over SSH; without HOST, of the flake's machine NAME
    #[arg(long, value_name = "HOST", num_args = 0..=1)]
    pub from_host: Option<Option<String>>,
    /// Answer the question about a host key with yes
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// With which keys secrets are opened.
    #[command(flatten)]
    pub keys: KeyArgs,
    /// Which rules.
    #[command(flatten)]
    pub rules: RulesArgs,
}

/// Removing a key.
#[derive(Debug, Args)]
pub struct RemoveRecipientArgs {
    /// Whose key it is: frame1, or with its set machines.frame1
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(completion::recipients))]
    pub name: String,
    /// With which keys secrets are opened.
    #[command(flatten)]
    pub keys: KeyArgs,
    /// Which rules.
    #[command(flatten)]
    pub rules: RulesArgs,
}
