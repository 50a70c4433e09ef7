//! The flake's `nixConfig`. Nix uses it in commands about the flake. A build by derivation does not
//! know the flake, so `deploy` passes the settings on, by Nix's own rule of trust.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Settings that Nix accepts from any flake. None of them is about builds.
const HARMLESS: [&str; 6] = [
    "bash-prompt",
    "bash-prompt-prefix",
    "bash-prompt-suffix",
    "flake-registry",
    "commit-lock-file-summary",
    "commit-lockfile-summary",
];

/// The flake's settings for builds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FlakeConfig {
    /// The settings that the user trusts, as names and values.
    pub used: Vec<(String, String)>,
    /// The names of the settings that are not used.
    pub ignored: Vec<String>,
    /// Why the settings could not be read.
    pub unreadable: Option<String>,
}

impl FlakeConfig {
    /// Splits `nixConfig` into used and ignored settings. All are used if `accepts_all`, otherwise
    /// those that the user accepted permanently.
    pub fn read(config: &Value, accepts_all: bool, trusted: &Value) -> Self {
        let mut divided = Self::default();
        for (name, value) in config.as_object().into_iter().flatten() {
            if HARMLESS.contains(&name.as_str()) {
                continue;
            }
            let value = text(value);
            if accepts_all || trusted[name][&value] == true {
                divided.used.push((name.clone(), value));
            } else {
                divided.ignored.push(name.clone());
            }
        }
        divided
    }

    /// A `nixConfig` that Nix cannot read.
    pub fn unreadable(why: &str) -> Self {
        let why = why.lines().last().unwrap_or_default().trim().to_owned();
        Self { unreadable: Some(why), ..Self::default() }
    }

    /// The warning about unused settings.
    pub fn warning(&self) -> Option<String> {
        if let Some(why) = &self.unreadable {
            return Some(format!("the flake's `nixConfig` is not used: {why}"));
        }
        let names: Vec<_> = self.ignored.iter().map(|name| format!("`{name}`")).collect();
        (!names.is_empty()).then(|| {
            format!(
                "{} of the flake's `nixConfig` {} not used: -- --accept-flake-config trusts it",
                names.join(", "),
                if names.len() == 1 { "is" } else { "are" }
            )
        })
    }
}

/// The settings that the user accepted permanently when Nix asked.
pub fn trusted() -> Value {
    let text = file().and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// The file in which Nix keeps them.
fn file() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/share"));
    let base = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(home);
    Some(base?.join("nix/trusted-settings.json"))
}

/// A value in Nix's format, with blanks between the elements of a list.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_flakes_settings_are_used_as_far_as_they_are_trusted() {
        let config = json!({
            "bash-prompt": "x",
            "cores": 3,
            "extra-substituters": ["https://a", "https://b"],
            "sandbox": true,
        });
        let nothing = FlakeConfig::read(&config, false, &Value::Null);
        assert_eq!(nothing.used, []);
        assert_eq!(
            nothing.warning().unwrap(),
            "`cores`, `extra-substituters`, `sandbox` of the flake's `nixConfig` are not used: -- \
             --accept-flake-config trusts it"
        );
        let all = FlakeConfig::read(&config, true, &Value::Null);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            all.used,
            [
                pair("cores", "3"),
                pair("extra-substituters", "https://a https://b"),
                pair("sandbox", "true")
            ]
        );
        assert_eq!(all.warning(), None);
        let trusted = json!({ "cores": { "3": true }, "sandbox": { "true": false, "x": true } });
        let some = FlakeConfig::read(&config, false, &trusted);
        assert_eq!(some.used, [pair("cores", "3")]);
        assert_eq!(some.ignored, ["extra-substituters", "sandbox"]);
        assert_eq!(FlakeConfig::read(&Value::Null, true, &trusted), FlakeConfig::default());
    }
}
