//! The flags that every command has: the machines, and how the output is shown.

use clap::Args;

use crate::{
    report::{Detail, Format},
    stages::fleet::overrides::Overrides,
    tools::nix::essence::Errors,
};

/// Which machines.
#[derive(Debug, Args)]
pub struct Machines {
    /// Machines: frame1, .#frame1, path/or/ref#frame1; without one, all of them
    #[arg(value_name = "MACHINE")]
    pub machines: Vec<String>,
    /// More machines, as deploy-rs takes them
    #[arg(long, num_args = 1.., value_name = "MACHINE")]
    pub targets: Vec<String>,
}

/// How it is shown, and Nix's own arguments.
#[derive(Debug, Args)]
pub struct Showing {
    /// Print JSON, one document a line
    #[arg(long)]
    pub json: bool,
    /// Print build logs, what the switch prints, and Nix's whole errors
    #[arg(short = 'v', long, visible_short_alias = 'd', visible_alias = "debug-logs")]
    pub verbose: bool,
    /// Arguments for nix, behind --
    #[arg(last = true, value_name = "NIX_ARGS")]
    pub nix_args: Vec<String>,
}

impl Machines {
    /// All machines on the command line.
    pub fn words(&self) -> Vec<String> {
        let Self { machines, targets } = self;
        machines.iter().chain(targets).cloned().collect()
    }
}

impl Showing {
    /// The format and the amount of output.
    pub fn report(&self) -> (Format, Detail) {
        let format = if self.json { Format::Json } else { Format::People };
        let detail = if self.verbose { Detail::Everything } else { Detail::Normal };
        (format, detail)
    }

    /// The values that take precedence over the flake's.
    pub fn overrides(&self) -> Overrides {
        let Self { json: _, verbose, nix_args } = self;
        Overrides {
            nix_args: nix_args.clone(),
            errors: if *verbose { Errors::Whole } else { Errors::Essence },
            ..Overrides::default()
        }
    }
}
