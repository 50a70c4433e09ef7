//! The `age` of the new system's closure, as agenix calls it.

use std::{process::Command, time::Duration};

use deploy_wire::machine::Secret;

use super::{command::path, process};

const LIMIT: Duration = Duration::from_secs(20);

/// The line that says why: `age` ends with where to report errors.
fn reason(said: &str) -> Option<&str> {
    said.lines().find_map(|line| line.split_once("rror: ").map(|(_, reason)| reason))
}

/// Decrypts a secret to nowhere. `age_bin` may be a piece of shell
/// (`PATH=… rage`), so a shell reads it, as agenix's own script does; the file
/// names travel as arguments. The error is what age said.
pub fn decrypts(secret: &Secret, identities: &[&str]) -> Result<(), String> {
    let script = format!("{} --decrypt \"$@\" > /dev/null", secret.age_bin);
    let mut command = Command::new(process::find("sh", &[]));
    command.args(["-c", &script, "age"]).current_dir("/").env("PATH", path());
    for identity in identities {
        command.args(["-i", identity]);
    }
    command.arg(&secret.file);
    match process::run(&mut command, LIMIT) {
        Ok(ran) if ran.succeeded() => Ok(()),
        Ok(ran) => Err(reason(&ran.err).unwrap_or_else(|| ran.last_words()).to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
