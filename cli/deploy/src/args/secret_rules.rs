//! What most commands of `deploy secrets` take: which rules, which private keys, and how it is shown.

use std::path::PathBuf;

use clap::Args;

use crate::{
    report::{Detail, Format},
    tools::nix::essence::Errors,
};

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

/// Which rules, for a command whose arguments for Nix are the flake's.
#[derive(Debug, Args)]
pub struct RulesFileArg {
    /// The rules, instead of the nearest secrets.nix or secrets/secrets.nix [RULES]
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
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

impl RulesFileArg {
    /// The same as the commands of `deploy secrets` have it.
    pub fn for_secrets(&self, verbose: bool) -> RulesArgs {
        RulesArgs { rules: self.rules.clone(), verbose, nix_args: Vec::new() }
    }
}

impl AsJson {
    /// How it is shown.
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::People }
    }
}
