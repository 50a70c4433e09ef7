//! `deploy iso`: the installation image, and its way to a USB stick.

use std::path::PathBuf;

use clap::Args;

/// An installation image.
#[derive(Debug, Args)]
pub struct IsoArgs {
    /// Overwrite this disk with the image; without a disk, list the removable ones
    #[arg(long, value_name = "DEVICE", num_args = 0..=1)]
    pub flash: Option<Option<PathBuf>>,
    /// The image's file
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
    /// Print JSON, one document a line
    #[arg(long)]
    pub json: bool,
}
