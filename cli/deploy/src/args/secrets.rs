//! `deploy secrets`: which command takes which flags.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCompleter;

use super::{
    completion,
    recipients::RecipientsArgs,
    secret_rules::{AsJson, KeyArgs, RulesArgs},
};

/// What is done with secrets.
#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// Each secret: who can read it, what uses it, and whether its file is encrypted to them
    List(ListArgs),
    /// Exit with 1 where a file is missing, damaged or encrypted to others than the rules say
    Check(CheckArgs),
    /// Print a secret
    Show(ShowArgs),
    /// The keys that the rules name, and what each can read; and adding and removing one
    Recipients(RecipientsArgs),
    /// Change a secret in $EDITOR, or put in what stands in a file or on standard input
    Edit(EditArgs),
    /// Make a secret that has no file yet
    New(NewArgs),
    /// Remove a secret's file
    Rm(RmArgs),
    /// Move a secret's file to another name, which the rules have already
    Rename(RenameArgs),
    /// Encrypt anew what is encrypted to others than the rules say
    Rekey(RekeyArgs),
    /// Give a secret another value, and tell which machines have to be deployed then
    Rotate(RotateArgs),
}

/// Looking at what there is, and at what uses it.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Do not evaluate the flake's machines to tell which of them use a secret
    #[arg(long)]
    pub no_machines: bool,
    /// What is looked at.
    #[command(flatten)]
    pub look: CheckArgs,
}

/// Looking at what there is.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Secrets, with or without .age; without one, all of them
    #[arg(value_name = "SECRET", add = ArgValueCompleter::new(completion::secrets))]
    pub secrets: Vec<String>,
    /// Which rules.
    #[command(flatten)]
    pub rules: RulesArgs,
    /// How it is shown.
    #[command(flatten)]
    pub shown: AsJson,
}

/// Printing a secret.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The secret, with or without .age
    #[arg(value_name = "SECRET", add = ArgValueCompleter::new(completion::secrets))]
    pub secret: String,
    /// With which keys.
    #[command(flatten)]
    pub keys: KeyArgs,
    /// Which rules.
    #[command(flatten)]
    pub rules: RulesArgs,
}

/// Where a secret's text comes from.
#[derive(Debug, Args)]
pub struct TextArgs {
    /// Take the text from FILE instead of an editor; standard input is taken where it is no
    /// terminal
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Let the text come on a disk while it is edited, where no file system is in memory
    #[arg(long)]
    pub text_on_disk: bool,
}

/// Changing a secret.
#[derive(Debug, Args)]
pub struct EditArgs {
    /// The secret, with or without .age
    #[arg(value_name = "SECRET", add = ArgValueCompleter::new(completion::secrets))]
    pub secret: String,
    /// Where its text comes from.
    #[command(flatten)]
    pub text: TextArgs,
    /// With which keys it is opened.
    #[command(flatten)]
    pub keys: KeyArgs,
    /// Which rules.
    #[command(flatten)]
    pub rules: RulesArgs,
}

/// Making a secret.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The secret, with or without .age; or a machine: all that its services declare and nobody
    /// has made
    #[arg(value_name = "SECRET|MACHINE", add = ArgValueCompleter::new(completion::secrets))]
    pub name: String,
    /// Ask nothing: make what the declaration says how to make; of a machine, leave the rest
    #[arg(long, conflicts_with_all = ["from", "text_on_disk"])]
    pub generate: bool,
    /// Where its text comes from.
    #[command(flatten)]
    pub text: TextArgs,
    /// Which rules.
    #[command(flatten)]
    pub rules: RulesArgs,
}

/// Giving a secret another value.
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// The secret, with or without .age
    #[arg(value_name = "SECRET", add = ArgValueCompleter::new(completion::secrets))]
    pub secret: String,
    /// Ask nothing: make it as its declaration says
    #[arg(long, conflicts_with_all = ["from", "text_on_disk"])]
    pub generate: bool,
    /// Where its text comes from.
    #[command(flatten)]
    pub text: TextArgs,
    /// Which rules.
    #[command(flatten)]
    pub rules: RulesArgs,
}

/// Removing a secret.
#[derive(Debug, Args)]
pub struct RmArgs {
    /// The secret, with or without .age; its rule may be gone already
    #[arg(value_name = "SECRET", add = ArgValueCompleter::new(completion::secrets))]
    pub secret: String,
    /// Answer the question with yes
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// Which rules.
    #[command(flatten)]
    pub rules: RulesArgs,
}

/// Moving a secret.
#[derive(Debug, Args)]
pub struct RenameArgs {
    /// The secret as it is called now
    #[arg(value_name = "OLD", add = ArgValueCompleter::new(completion::secrets))]
    pub old: String,
    /// As it is to be called, and as the rules call it
    #[arg(value_name = "NEW", add = ArgValueCompleter::new(completion::secrets))]
    pub new: String,
    /// With which keys it is opened, where others are to read it.
    #[command(flatten)]
    pub keys: KeyArgs,
    /// Which rules.
    #[command(flatten)]
    pub rules: RulesArgs,
}

/// Encrypting anew.
#[derive(Debug, Args)]
pub struct RekeyArgs {
    /// Secrets, or names of keys: what these can read; without one, all
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(completion::secrets_and_recipients))]
    pub names: Vec<String>,
    /// Also what is encrypted to those of its rule
    #[arg(long)]
    pub all: bool,
    /// With which keys they are opened.
    #[command(flatten)]
    pub keys: KeyArgs,
    /// Which rules.
    #[command(flatten)]
    pub rules: RulesArgs,
    /// How it is shown.
    #[command(flatten)]
    pub shown: AsJson,
}
