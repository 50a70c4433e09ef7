//! Which machines use a secret, by the flake that the rules belong to.

use std::path::{Path, PathBuf};

use super::Opened;
use crate::{
    args::RulesArgs,
    error::Failure,
    report::{Event, Report},
    secrets::rules::Rule,
    stages::{
        flake::{Aim, Selection},
        fleet::{self, DeclaredSecret, overrides::Overrides},
    },
    tools::nix::Nix,
};

/// What the machines declare; `None` where there is no flake, or it cannot be evaluated.
pub struct Uses(Option<Vec<DeclaredSecret>>);

impl Uses {
    /// Without asking.
    pub fn unknown() -> Self {
        Self(None)
    }

    /// Evaluates the declarations of all machines of the flake at once. What cannot be evaluated is
    /// told, and the command goes on: the rules alone say who can read a secret.
    pub async fn ask(opened: &Opened, args: &RulesArgs, report: &Report) -> Self {
        let Some(folder) = flake_of(&opened.rules.folder) else { return Self(None) };
        let flake = folder.display().to_string();
        let selection = Selection { flake, names: None, aim: Aim::Look };
        let overrides = overrides(args);
        let declared = async {
            let nix = Nix::find(&args.nix_args).map_err(|error| {
                Failure::unchanged("the flake cannot be evaluated").because(error)
            })?;
            fleet::declared_secrets(&nix, &selection, &overrides, report).await
        };
        match declared.await {
            Ok(declared) => Self(Some(declared)),
            Err(failure) => {
                let causes = failure.causes.join("; ");
                let text =
                    format!("which machines use a secret is not known: {}: {causes}", failure.what);
                report.tell(Event::Warning { machine: None, text });
                Self(None)
            }
        }
    }

    /// The machines that declare a rule's secret.
    pub fn of(&self, rule: &Rule) -> Option<Vec<&DeclaredSecret>> {
        let declared = self.0.as_ref()?.iter();
        Some(declared.filter(|declared| declared.is_in(&rule.path)).collect())
    }
}

/// For an evaluation that logs in to no machine.
pub fn overrides(args: &RulesArgs) -> Overrides {
    Overrides {
        nix_args: args.nix_args.clone(),
        errors: args.errors(),
        allow_ssh_opts: true,
        ..Overrides::default()
    }
}

/// The nearest flake, no higher than the repository.
pub fn flake_of(folder: &Path) -> Option<PathBuf> {
    for folder in folder.ancestors() {
        if folder.join("flake.nix").is_file() {
            return Some(folder.to_owned());
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}
