//! Parts of a flake that are not deployed: nodes that are not NixOS machines, and settings of other
//! tools. A named one is refused. Without names, the others are deployed and a line reports each
//! one that is skipped.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    error::{Failure, Result},
    stages::flake::Selection,
};

/// A selected node that is not a NixOS machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Odd {
    /// It is for this platform, which is not Linux.
    System(String),
    /// It has neither a system nor profiles.
    Nothing,
}

/// All parts that are not deployed.
#[derive(Debug, Default, Deserialize)]
pub struct NotDeployed {
    /// Nodes that are skipped, by machine.
    #[serde(default)]
    pub odd: BTreeMap<String, Odd>,
    /// Machines with settings of a tool and without a node, by tool.
    #[serde(default)]
    foreign: BTreeMap<String, Vec<String>>,
    /// Outputs with machines of other tools.
    #[serde(default)]
    elsewhere: Vec<String>,
}

impl NotDeployed {
    /// Reads them from the evaluation.
    pub fn read(evaluated: &Value) -> Self {
        Self::deserialize(evaluated).unwrap_or_default()
    }

    /// A line for each skipped node, if no machine was named.
    pub fn skipped(&self, selection: &Selection) -> Vec<String> {
        let is_all = selection.names.is_none();
        let nodes = self.odd.iter().filter(|_| is_all);
        nodes.map(|(name, odd)| format!("{name} is left out: {}", odd.why())).collect()
    }

    /// Refuses a named machine that cannot be deployed.
    pub fn refuse(&self, name: &str) -> Result<()> {
        match self.odd.get(name) {
            None => Ok(()),
            Some(odd) => Err(Failure::unchanged(format!("{name} cannot be deployed"))
                .because(odd.why())
                .hint(Some(odd.hint(name)))),
        }
    }

    /// A line for each tool whose settings are ignored.
    pub fn foreign(&self) -> Vec<String> {
        let tools = self.foreign.iter().filter(|(_, names)| !names.is_empty());
        tools
            .map(|(tool, names)| {
                let what = match tool.as_str() {
                    "colmena" => "colmena's `deployment.*` is",
                    _ => "nixinate's arguments are",
                };
                format!(
                    "{what} not read ({}): docs/migration.md has the same for `deploy.nodes`",
                    listed(names)
                )
            })
            .collect()
    }

    /// Why a flake has no machines, and what to do.
    pub fn none_hint(&self) -> String {
        let has = |name: &&String| ["colmenaHive", "colmena"].contains(&name.as_str());
        if let Some(output) = self.elsewhere.iter().find(has) {
            return format!(
                "its `{output}` is colmena's: what to write for deploy is in docs/migration.md"
            );
        }
        let needs = "it needs `deploy.nodes.NAME` or `nixosConfigurations.NAME`";
        match self.elsewhere.first() {
            Some(output) => format!("{needs}; `{output}` is not NixOS"),
            None => needs.into(),
        }
    }
}

impl Odd {
    fn why(&self) -> String {
        match self {
            Self::System(system) => format!("it is for {system}, and deploy deploys NixOS"),
            Self::Nothing => {
                "it has neither a toplevel, nor a profile, nor a nixosConfiguration".into()
            }
        }
    }

    fn hint(&self, name: &str) -> String {
        match self {
            Self::System(system) if system.ends_with("-darwin") => {
                "macOS is switched by darwin-rebuild, or by deploy-rs".into()
            }
            Self::System(_) => format!("is deploy.nodes.{name}.system right?"),
            Self::Nothing => {
                format!("deploy.nodes.{name}.profiles.system.path is its NixOS system")
            }
        }
    }
}

/// Formats names as "a, b" or "a, b, c and 9 more".
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 3;
    if names.len() <= SHOWN {
        return names.join(", ");
    }
    format!("{} and {} more", names[..SHOWN].join(", "), names.len() - SHOWN)
}
