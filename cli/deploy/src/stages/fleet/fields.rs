//! A machine's fields with a wrong type or a useless value, and fields that nothing reads.

use deploy_wire::machine::{Machine, MachineError};
use serde_json::Value;

use crate::{
    error::{Failure, Result},
    stages::flake::nearest,
    tools::shell,
};

/// The parser's terms, and the terms of somebody who writes Nix.
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

/// The failure for a document that is not a machine.
pub fn wrong(flake: &str, machine: &str, error: &MachineError) -> Box<Failure> {
    let what = |field: &str| format!("`deploy.nodes.{machine}{field}` in `{flake}` is not right");
    match error {
        MachineError::Version { .. } => Failure::unchanged(what("")).because(error),
        MachineError::Shape { field, reason } => {
            // The parser has no name for a key that is a platform.
            let field = field.trim_end_matches(".?").trim_matches('.');
            let dot = if field.is_empty() { "" } else { "." };
            Failure::unchanged(what(&format!("{dot}{field}"))).because(plain(reason))
        }
    }
}

/// Splits deploy-rs's `sudo`, which is one string, as `--sudo` is split:
/// `flakes/quotes-in-sudo-mean-what-they-mean-in-a-shell` proves it.
pub fn divide_sudo(flake: &str, machine: &str, document: &mut Value) -> Result<()> {
    let Some(command) = document.pointer_mut("/sudo/command") else { return Ok(()) };
    let Some(text) = command.as_str() else { return Ok(()) };
    let words = shell::split(text).map_err(|error| {
        let what = format!("`sudo` of {machine} in `{flake}` is not right");
        Failure::unchanged(what).because(error)
    })?;
    *command = words.into();
    Ok(())
}

/// Translates the parser's reason for somebody who writes Nix.
pub fn plain(reason: &str) -> String {
    let reason = reason.replace("sequence, expected", "a list, expected");
    let reason = reason.replace("map, expected", "an attribute set, expected");
    WORDS.iter().fold(reason, |reason, (word, plain)| reason.replace(word, plain))
}

/// Refuses values of the right type with which no deploy is possible.
pub fn refuse_nonsense(machine: &Machine) -> Result<()> {
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

/// The number of unused fields that get a line each. More of them share one line.
const SHOWN: usize = 3;

/// Fields that nothing reads, with the fields that were probably meant.
pub fn unknown(evaluated: &Value) -> Vec<String> {
    let fields: Vec<&Value> = evaluated["unknown"].as_array().into_iter().flatten().collect();
    let place =
        |field: &Value| Some(format!("{}.{}", field["set"].as_str()?, field["field"].as_str()?));
    if fields.len() > SHOWN {
        let shown: Vec<String> = fields
            .iter()
            .take(SHOWN)
            .filter_map(|field| Some(format!("`{}`", place(field)?)))
            .collect();
        return vec![format!(
            "{} fields are no options of deploy and do nothing: {} and {} more",
            fields.len(),
            shown.join(", "),
            fields.len() - SHOWN
        )];
    }
    let text = |field: &Value| {
        let known: Vec<String> = serde_json::from_value(field["known"].clone()).unwrap_or_default();
        let meant = nearest(field["field"].as_str()?, &known);
        let meant = meant.map(|name| format!(": did you mean `{name}`?")).unwrap_or_default();
        Some(format!("`{}` is no option of deploy and does nothing{meant}", place(field)?))
    };
    fields.into_iter().filter_map(text).collect()
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

    #[test]
    fn the_flake_s_sudo_is_divided_as_a_shell_does_it() {
        let divided = |command: Value| {
            let mut document = serde_json::json!({ "sudo": { "command": command } });
            divide_sudo(".", "frame1", &mut document)?;
            Ok::<_, Box<Failure>>(document["sudo"]["command"].clone())
        };
        let words = serde_json::json!(["sudo", "-p", "your password: ", "-u", "root"]);
        let text = Value::from(" sudo\t-p 'your password: '  -u root ");
        assert_eq!(divided(text).unwrap(), words);
        assert_eq!(divided(words.clone()).unwrap(), words);
        assert!(divided("sudo 'x".into()).unwrap_err().what.contains("`sudo` of frame1 in `.`"));
    }
}
