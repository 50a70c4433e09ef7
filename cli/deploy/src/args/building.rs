//! The flags for where closures are built and how they are pushed.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use deploy_wire::machine::BuildPlace;

use crate::stages::fleet::overrides::Overrides;

/// Where closures are built.
#[derive(Debug, Args)]
pub struct BuildPlaceArgs {
    /// Build here (local), on the machine (target), or on HOST
    #[arg(long, value_name = "PLACE")]
    pub build_on: Option<String>,
    /// As --build-on target, in deploy-rs's way
    #[arg(long)]
    pub remote_build: bool,
}

/// How closures travel, and the agent with them.
#[derive(Debug, Args)]
pub struct PushArgs {
    /// Whether everything is sent, instead of asking substituters first
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    pub fast_connection: Option<bool>,
    /// The agent for the machine's system
    #[arg(long, value_name = "FILE")]
    pub agent: Option<PathBuf>,
}

impl BuildPlaceArgs {
    /// The place to build at, if a flag names one.
    pub fn place(&self) -> Option<BuildPlace> {
        let Self { build_on, remote_build } = self;
        match (build_on, remote_build) {
            (Some(place), _) => Some(BuildPlace::from(place.clone())),
            (None, true) => Some(BuildPlace::Target),
            (None, false) => None,
        }
    }

    /// Adds the values of these flags.
    pub fn overrides(&self, overrides: Overrides) -> Overrides {
        Overrides { build: self.place(), ..overrides }
    }
}

impl PushArgs {
    /// Adds the values of these flags.
    pub fn overrides(&self, overrides: Overrides) -> Overrides {
        Overrides { fast_connection: self.fast_connection, ..overrides }
    }
}
