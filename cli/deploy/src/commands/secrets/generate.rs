//! What makes a secret by itself is started.

use std::path::Path;

use deploy_wire::machine::Generator;
use zeroize::Zeroizing;

use crate::{
    error::{Failure, Result},
    secrets::{
        generated::{self, Generated},
        rules::Rule,
    },
    tools::process::Invocation,
};

/// What a generator makes of a rule's secret. `folder` is the flake's, where it is one here: a
/// program of a flake from elsewhere is not started.
pub async fn generate(by: &Generator, rule: &Rule, folder: Option<&Path>) -> Result<Generated> {
    let refused = |why: String| {
        Failure::unchanged(format!("the secret {} was not made", rule.name)).because(why)
    };
    match generated::generate(by).map_err(refused)? {
        Some(made) => Ok(made),
        None => by_program(by, folder).await.map_err(refused),
    }
}

async fn by_program(
    by: &Generator,
    folder: Option<&Path>,
) -> std::result::Result<Generated, String> {
    let Some((program, words)) = by.command.split_first() else {
        return Err("its generator names no program".into());
    };
    let Some(folder) = folder else {
        return Err(format!("its generator starts `{program}`, and the flake is no folder here"));
    };
    let line = Invocation::new("/bin/sh")
        .args(["-c", "cd \"$0\" && exec \"$@\""])
        .arg(folder.as_os_str())
        .arg(program)
        .args(words);
    let text = line.output().await.map_err(|error| {
        format!("`{}`: {error}: {}", by.command.join(" "), error.stderr().trim())
    })?;
    let text = Zeroizing::new(text);
    match text.is_empty() {
        true => Err(format!("`{}` printed nothing", by.command.join(" "))),
        false => Ok(Generated::alone(text)),
    }
}
