//! Evaluations that are kept from one run to the next.

use std::path::Path;

use serde_json::{Value, json};

use crate::tools::{cache::Cache, nix::Evaluated};

/// The key of a kept evaluation. An evaluation that may read more than the flake is neither kept
/// nor looked up, because it would deploy values from an earlier environment.
/// `an-address-from-the-environment-is-asked-for-each-time` proves it.
pub struct KeptEvaluation {
    is_usable: bool,
    key: String,
}

impl KeptEvaluation {
    /// The key must name everything that the evaluation depends on.
    pub fn new(is_usable: bool, key: &Value) -> Self {
        Self { is_usable, key: key.to_string() }
    }

    /// The kept evaluation, if it is still usable.
    pub fn get(&self) -> Option<Evaluated> {
        let kept = self.is_usable.then(|| Cache::named("evaluations").get(&self.key)).flatten()?;
        let warnings = serde_json::from_value(kept["warnings"].clone()).ok()?;
        let value = Some(kept["value"].clone()).filter(derivations_are_here)?;
        Some(Evaluated { value, warnings })
    }

    /// Keeps an evaluation. Nix itself reports whether the evaluation was pure; this decides,
    /// whatever the settings say.
    pub fn put(&self, Evaluated { value, warnings }: &Evaluated) {
        if self.is_usable && value["pure"] == true {
            let kept = json!({ "value": value, "warnings": warnings });
            Cache::named("evaluations").put(&self.key, &kept);
        }
    }
}

/// Whether all derivations to build still exist. Garbage collection may have removed them.
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
