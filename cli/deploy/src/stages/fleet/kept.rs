//! Evaluations that are kept from one run to the next.

use std::path::Path;

use serde_json::{Value, json};

use crate::tools::{cache::Cache, nix::Evaluated};

/// The place of one evaluation among those that are kept. An evaluation that may see more than
/// the flake is neither kept nor looked for: it would deploy what the environment said the last
/// time. `an-address-from-the-environment-is-asked-for-each-time` proves it.
pub struct KeptEvaluation {
    is_usable: bool,
    key: String,
}

impl KeptEvaluation {
    /// The place of what `key` says all of.
    pub fn new(is_usable: bool, key: &Value) -> Self {
        Self { is_usable, key: key.to_string() }
    }

    /// What was kept there, if it is of use.
    pub fn get(&self) -> Option<Evaluated> {
        let kept = self.is_usable.then(|| Cache::named("evaluations").get(&self.key)).flatten()?;
        let warnings = serde_json::from_value(kept["warnings"].clone()).ok()?;
        let value = Some(kept["value"].clone()).filter(derivations_are_here)?;
        Some(Evaluated { value, warnings })
    }

    /// Keeps an evaluation. Nix's own word counts most: by it the evaluation was pure or not,
    /// whatever made it so.
    pub fn put(&self, Evaluated { value, warnings }: &Evaluated) {
        if self.is_usable && value["pure"] == true {
            let kept = json!({ "value": value, "warnings": warnings });
            Cache::named("evaluations").put(&self.key, &kept);
        }
    }
}

/// Whether all that it is to build can be built from it: derivations that were collected cannot.
fn derivations_are_here(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().all(|(name, value)| match value {
            Value::String(drv) if name == "drv" => Path::new(drv).exists(),
            other => derivations_are_here(other),
        }),
        Value::Array(all) => all.iter().all(derivations_are_here),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_evaluation_is_of_no_use_once_any_of_its_derivations_was_collected() {
        let here = tempfile::NamedTempFile::new().unwrap();
        let here = here.path().to_str().unwrap();
        let machine = |toplevel: &str, image: &str, agent: &str| {
            json!({ "machines": { "a": {
                "toplevel": { "drv": toplevel },
                "image": { "drv": image },
                "agent": { "x86_64-linux": { "drv": agent } },
            }}})
        };
        assert!(derivations_are_here(&machine(here, here, here)));
        assert!(!derivations_are_here(&machine("/gone", here, here)));
        assert!(!derivations_are_here(&machine(here, "/gone", here)));
        assert!(!derivations_are_here(&machine(here, here, "/gone")));
    }
}
