//! What a machine is installed or started from.

use serde::{Deserialize, Serialize};

use crate::store_path::StorePath;

/// An image that is built in place of a system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Image {
    /// What it is for.
    pub kind: ImageKind,
    /// The derivation.
    pub drv: StorePath,
    /// Its output `out`.
    pub out: StorePath,
    /// The file to use, below `out`; null when that is `out` itself.
    #[serde(default)]
    pub file: Option<String>,
}

/// What an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ImageKind {
    /// Machines are installed from it. Nothing is deployed to it.
    Iso,
    /// It starts a virtual machine, which can be deployed to while it runs.
    Vm,
}

impl Image {
    /// The path to use, once it is built.
    pub fn path(&self) -> String {
        match &self.file {
            Some(file) => format!("{}/{file}", self.out),
            None => self.out.to_string(),
        }
    }
}
