//! `deploy iso`: the installation image, and its way to a USB stick.

use std::path::PathBuf;

use clap::Args;

use super::machines::Showing;

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
    /// Overwrite this disk with the image; without a disk, list the removable ones
    #[arg(long, value_name = "DEVICE", num_args = 0..=1)]
    pub flash: Option<Option<PathBuf>>,
    /// For --flash, an image that is there, instead of one that is built
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "build_on"])]
    pub image: Option<PathBuf>,
    /// How it is shown.
    #[command(flatten)]
    pub showing: Showing,
}
