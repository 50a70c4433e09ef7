//! `deploy iso`: the installation image, and its way to a USB stick.

use std::path::PathBuf;

use clap::Args;

use super::{
    machines::Showing,
    secret_rules::{KeyArgs, RulesFileArg},
};

/// The arguments that an image which is there already would not honour.
const OF_A_BUILD: [&str; 8] =
    ["name", "out", "build_on", "build_in", "wifi", "no_wifi", "rules", "identities"];

/// An installation image.
#[derive(Debug, Args)]
pub struct IsoArgs {
    /// The image's configuration: installer-iso, .#installer-iso, path/or/ref#NAME
    #[arg(value_name = "NAME", default_value = "installer-iso")]
    pub name: String,
    /// Where the image is put; without it NAME.iso in the current folder
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Build here (local) or on HOST
    #[arg(long, value_name = "PLACE")]
    pub build_on: Option<String>,
    /// Build in a container of this program, where nothing else here builds for Linux
    #[arg(long, value_name = "PROGRAM", value_parser = ["docker", "podman"], conflicts_with = "build_on")]
    pub build_in: Option<String>,
    /// Overwrite this disk with the image; without a disk, list the removable ones
    #[arg(long, value_name = "DEVICE", num_args = 0..=1)]
    pub flash: Option<Option<PathBuf>>,
    /// For --flash, an image that is there, instead of one that is built
    #[arg(long, value_name = "FILE", conflicts_with_all = OF_A_BUILD)]
    pub image: Option<PathBuf>,
    /// The secret with the installer's Wi-Fi: two lines, the network's name and its password
    #[arg(long, value_name = "SECRET")]
    pub wifi: Option<String>,
    /// Put no Wi-Fi on the image, also if the rules have installer-wifi
    #[arg(long, conflicts_with = "wifi")]
    pub no_wifi: bool,
    /// Which rules.
    #[command(flatten)]
    pub rules: RulesFileArg,
    /// With which private keys the secret is opened.
    #[command(flatten)]
    pub keys: KeyArgs,
    /// How it is shown.
    #[command(flatten)]
    pub showing: Showing,
}
