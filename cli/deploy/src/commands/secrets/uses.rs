//! Which machines use a secret, by the flake that the rules belong to.

use std::path::{Path, PathBuf};

use deploy_wire::machine::{Generator, GeneratorKind};

use super::{Opened, made};
use crate::{
    args::RulesArgs,
    error::{Failure, Result},
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

    /// What makes a rule's secret, where a machine declares it.
    pub fn generator(&self, rule: &Rule) -> Result<Option<&Generator>> {
        let declared = self.of(rule).unwrap_or_default();
        let mut all = declared.iter().filter_map(|declared| {
            declared.generator.as_ref().map(|generator| (declared.machine.as_str(), generator))
        });
        let Some((machine, first)) = all.next() else { return Ok(None) };
        match all.find(|(_, other)| *other != first) {
            None => Ok(Some(first)),
            Some((other, _)) => {
                Err(Failure::unchanged(format!("the secret {} has two generators", rule.name))
                    .because(format!("{machine} and {other} declare different ones"))
                    .hint(Some("let them declare the same".into())))
            }
        }
    }

    /// The rule of the hash whose password a rule's secret is.
    pub fn hash_of<'o>(&self, rule: &Rule, opened: &'o Opened) -> Option<&'o Rule> {
        opened.rules.list.iter().find(|hash| {
            let by = self.generator(hash).ok().flatten();
            by.filter(|by| matches!(by.kind, GeneratorKind::Htpasswd | GeneratorKind::Argon2))
                .and_then(|by| made::password_of(hash, Some(by), opened).ok())
                .is_some_and(|password| password.path == rule.path)
        })
    }

    /// What is to be deployed once a secret has changed, in words; nothing where no machine uses it.
    pub fn deploy_words(&self, rule: &Rule) -> String {
        match self.of(rule) {
            None => "; deploy the machines that use it".to_owned(),
            Some(declared) if declared.is_empty() => String::new(),
            Some(declared) => {
                let machines: Vec<&str> =
                    declared.iter().map(|declared| declared.machine.as_str()).collect();
                format!("; then deploy {}", machines.join(" "))
            }
        }
    }

    /// What declarations say that belongs into a rule's secret, each once.
    pub fn hints(&self, rule: &Rule) -> Vec<&str> {
        let mut hints: Vec<&str> = Vec::new();
        for declared in self.of(rule).unwrap_or_default() {
            if !declared.hint.is_empty() && !hints.contains(&declared.hint.as_str()) {
                hints.push(&declared.hint);
            }
        }
        hints
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
