//! The images that a machine is installed or started from.

use serde::{Deserialize, Serialize};

use crate::store_path::StorePath;

/// An image that is built instead of a system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Image {
    /// The kind of image.
    pub kind: ImageKind,
    /// The image's derivation.
    pub drv: StorePath,
    /// The derivation's output `out`.
    pub out: StorePath,
    /// The file to use, relative to `out`; null when that is `out` itself.
    #[serde(default)]
    pub file: Option<String>,
}

/// The kinds of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ImageKind {
    /// A medium to install machines from. `deploy` cannot deploy to it.
    Iso,
    /// A virtual machine. `deploy` can deploy to it while it runs.
    Vm,
}

impl Image {
    /// The path to use after the build.
    pub fn path(&self) -> String {
        match &self.file {
            Some(file) => format!("{}/{file}", self.out),
            None => self.out.to_string(),
        }
    }
}
