//! What an author wrote about a machine: fields of a wrong type, without sense, or that
//! nothing reads.

use deploy_wire::machine::{Machine, MachineError};
use serde_json::Value;

use super::nearest;
use crate::error::{Failure, Result};

/// What the reader's words mean to somebody who writes Nix.
const WORDS: [(&str, &str); 9] = [
    ("invalid type: ", ""),
    ("invalid value: ", ""),
    ("expected one of ", "it must be one of "),
    ("expected ", "it must be "),
    ("u64", "a whole number, 0 or more"),
    ("u16", "a port, 0 to 65535"),
    ("a sequence", "a list"),
    ("a boolean", "true or false"),
    ("unknown variant", "there is no"),
];

/// A document that does not have the shape of a machine.
pub fn wrong(flake: &str, machine: &str, error: &MachineError) -> Box<Failure> {
    let what = |field: &str| format!("`deploy.nodes.{machine}{field}` in `{flake}` is not right");
    match error {
        MachineError::Version { .. } => Failure::unchanged(what("")).because(error),
        MachineError::Shape { field, reason } => {
            // The reader has no name for a key that is a platform.
            let field = field.trim_end_matches(".?").trim_matches('.');
            let dot = if field.is_empty() { "" } else { "." };
            Failure::unchanged(what(&format!("{dot}{field}"))).because(plain(reason))
        }
    }
}

fn plain(reason: &str) -> String {
    let reason = reason.replace("sequence, expected", "a list, expected");
    let reason = reason.replace("map, expected", "an attribute set, expected");
    WORDS.iter().fold(reason, |reason, (word, plain)| reason.replace(word, plain))
}

/// Values of the right type that no machine can be deployed with.
pub fn have_sense(machine: &Machine) -> Result<()> {
    let limits = [
        ("confirm.timeout", machine.confirm.timeout),
        ("timeouts.activation", machine.timeouts.activation),
        ("timeouts.check", machine.timeouts.check),
        ("timeouts.rollback", machine.timeouts.rollback),
    ];
    match limits.iter().find(|(_, seconds)| *seconds == 0) {
        None => Ok(()),
        Some((field, _)) => {
            Err(Failure::unchanged(format!("`{field}` of {} is 0 seconds", machine.name))
                .because("no deploy can succeed in no time"))
        }
    }
}

/// Fields that nothing reads, with the ones that were probably meant.
pub fn unknown(evaluated: &Value) -> Vec<String> {
    let warnings = evaluated["warnings"].as_array().into_iter().flatten();
    let text = |warning: &Value| {
        let known: Vec<String> =
            serde_json::from_value(warning["known"].clone()).unwrap_or_default();
        let (set, field) = (warning["set"].as_str()?, warning["field"].as_str()?);
        let meant = nearest(field, &known).map(|name| format!(": did you mean `{name}`?"));
        let meant = meant.unwrap_or_default();
        Some(format!("`{set}.{field}` is no option of deploy and does nothing{meant}"))
    };
    warnings.filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readers_words_become_nix_s() {
        for (reason, words) in [
            (
                "invalid type: string \"30\", expected u64",
                "string \"30\", it must be a whole number, 0 or more",
            ),
            ("invalid type: sequence, expected a string", "a list, it must be a string"),
            (
                "invalid type: string \"web\", expected a sequence",
                "string \"web\", it must be a list",
            ),
        ] {
            assert_eq!(plain(reason), words);
        }
    }
}
