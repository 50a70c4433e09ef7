//! What a deploy changes on a machine.

use serde::Serialize;

/// The difference between what runs and what is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// Packages of other versions.
    pub packages: Vec<PackageChange>,
    /// Units.
    pub units: Units,
    /// What only a reboot brings into use: `kernel`, `initrd`, …
    pub reboot: Vec<String>,
    /// Profiles besides the system that are activated.
    pub profiles: Vec<String>,
}

/// A package whose versions differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PackageChange {
    /// Its name.
    pub name: String,
    /// The versions of before; none if it is new.
    pub before: Vec<String>,
    /// The versions of after; none if it goes.
    pub after: Vec<String>,
}

/// Units that differ, by name. One is in one list of the first three, or in the last two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Units {
    /// They have files now.
    pub new: Vec<String>,
    /// Their files, or those in their drop-in folders, say something else.
    pub changed: Vec<String>,
    /// They have no files any more.
    pub removed: Vec<String>,
    /// Another unit wants or requires them now, where none did.
    pub enabled: Vec<String>,
    /// No other unit wants or requires them any more.
    pub disabled: Vec<String>,
}
