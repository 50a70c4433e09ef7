//! The changes that a deploy makes on a machine.

use serde::Serialize;

/// The difference between the running and the wanted system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// Packages whose versions differ.
    pub packages: Vec<PackageChange>,
    /// Units that differ.
    pub units: Units,
    /// Secrets whose encrypted files differ.
    pub secrets: SecretChanges,
    /// Parts that take effect after a reboot only: `kernel`, `initrd`, …
    pub reboot: Vec<String>,
    /// The other profiles that are activated.
    pub profiles: Vec<String>,
}

/// A package whose versions differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PackageChange {
    /// The name of the package.
    pub name: String,
    /// The versions in the running system; none if the package is new.
    pub before: Vec<String>,
    /// The versions in the wanted system; none if the package is removed.
    pub after: Vec<String>,
}

/// The names of units that differ. A unit is in one of the first three lists, or in the last two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Units {
    /// Units that the wanted system adds.
    pub new: Vec<String>,
    /// Units with another unit file or drop-in file.
    pub changed: Vec<String>,
    /// Units that the wanted system removes.
    pub removed: Vec<String>,
    /// Units that another unit wants or requires now, and none did before.
    pub enabled: Vec<String>,
    /// Units that no other unit wants or requires any more.
    pub disabled: Vec<String>,
}

/// The secrets that differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretChanges {
    /// Names of secrets that the wanted system adds.
    pub new: Vec<String>,
    /// Secrets with another encrypted file. What is in it may be the same.
    pub changed: Vec<ChangedSecret>,
    /// Names of secrets that the wanted system removes.
    pub removed: Vec<String>,
}

/// A secret with another encrypted file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedSecret {
    /// The name of the secret.
    pub name: String,
    /// The units that the flake restarts when it changes.
    pub restarts: Vec<String>,
}
