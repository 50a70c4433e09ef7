//! A file of Nix's that is no flake, evaluated.

use std::{ffi::OsString, path::Path};

use super::{
    Evaluated, Nix, NixError,
    arguments::{ask_for_impurity, evaluation_args},
    failed, json,
};
use crate::tools::nix::warnings::Warnings;

impl Nix {
    /// Evaluates a function of what is in `file`. It sees what is below `root`, and neither the
    /// environment nor NIX_PATH, unless the user's arguments ask for an impure evaluation.
    pub async fn eval_file(
        &self,
        file: &Path,
        root: &Path,
        function: &str,
    ) -> Result<Evaluated, NixError> {
        let mut command = self.invocation(&["eval", "--json", "--show-trace"]);
        if !ask_for_impurity(&self.user_args) {
            // With a name in front no `<…>` is looked for in it.
            let mut seen = OsString::from("deploy-rules=");
            seen.push(root);
            command = command
                .args(["--option", "restrict-eval", "true", "-I"])
                .arg(seen)
                .env("NIX_PATH", "");
        }
        let command = command
            .args(evaluation_args(&self.user_args))
            .args(["--apply", function, "--file"])
            .arg(file);
        let mut warnings = Warnings::default();
        let output = command.watched(|line| warnings.line(line)).await.map_err(failed)?;
        Ok(Evaluated { value: json("nix eval", &output)?, warnings: warnings.all() })
    }
}
