//! `deploy secrets`: which command takes which flags.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCompleter;

use super::completion;
use crate::{
    report::{Detail, Format},
    tools::nix::essence::Errors,
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

/// Which rules, and what Nix is told.
#[derive(Debug, Args)]
pub struct RulesArgs {
    /// The rules, instead of the nearest secrets.nix or secrets/secrets.nix [RULES]
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// Print Nix's whole errors
    #[arg(short = 'v', long)]
    pub verbose: bool,
    /// Arguments for nix, behind --
    #[arg(last = true, value_name = "NIX_ARGS")]
    pub nix_args: Vec<String>,
}

/// How it is shown.
#[derive(Debug, Args)]
pub struct AsJson {
    /// Print JSON, one document a line; never a secret
    #[arg(long)]
    pub json: bool,
}

/// With which private keys secrets are opened.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// A private key of SSH's or age's, instead of ~/.ssh/id_ed25519 and id_rsa; may be repeated
    #[arg(short = 'i', long = "identity", value_name = "FILE")]
    pub identities: Vec<PathBuf>,
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
    #[arg(value_name = "NAME")]
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
    #[arg(value_name = "NAME")]
    pub name: String,
    /// With which keys secrets are opened.
    #[command(flatten)]
    pub keys: KeyArgs,
    /// Which rules.
    #[command(flatten)]
    pub rules: RulesArgs,
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
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(completion::secrets))]
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

impl RulesArgs {
    /// How much is shown of Nix's errors.
    pub fn errors(&self) -> Errors {
        if self.verbose { Errors::Whole } else { Errors::Essence }
    }

    /// How much is shown.
    pub fn detail(&self) -> Detail {
        if self.verbose { Detail::Everything } else { Detail::Normal }
    }
}

impl AsJson {
    /// How it is shown.
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::People }
    }
}
