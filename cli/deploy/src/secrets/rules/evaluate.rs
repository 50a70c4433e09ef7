//! Rules are Nix, and Nix reads them: once, whatever is done with them.

use super::{RulesFile, SecretRules};
use crate::{
    error::{Failure, Result},
    tools::nix::{
        Nix, NixDiagnosis, NixError,
        essence::{self, Errors},
    },
};

/// The rules, and what their evaluation warns of.
pub async fn evaluate(
    at: &RulesFile,
    nix_args: &[String],
    errors: Errors,
) -> Result<(SecretRules, Vec<String>)> {
    let given = async {
        let nix = Nix::find(nix_args)?;
        nix.eval_file(&at.file, &at.root, include_str!("rules.nix")).await
    };
    let evaluated = given.await.map_err(|error| failure(at, &error, errors))?;
    Ok((SecretRules::read(at, evaluated.value)?, evaluated.warnings))
}

fn failure(at: &RulesFile, error: &NixError, errors: Errors) -> Box<Failure> {
    let said = error.to_string();
    let text = match errors {
        Errors::Essence => essence::trimmed(&said, Some(&at.root)),
        Errors::Whole => said,
    };
    let root = at.root.display();
    let hint = match error {
        NixError::Missing(_) => Some("install Nix: https://nixos.org/download".to_owned()),
        _ if error.diagnoses().contains(&NixDiagnosis::NotPure) => Some(format!(
            "rules read what is below {root}, and no NIX_PATH: `-- --impure` behind the command \
             lets them read anything, `import <nixpkgs>` as well"
        )),
        _ => None,
    };
    Failure::unchanged(format!("the rules {} cannot be evaluated", at.file.display()))
        .because(text)
        .hint(hint)
}
