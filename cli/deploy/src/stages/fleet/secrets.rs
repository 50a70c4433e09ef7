//! Which machine declares which secret, without evaluating its system.

use std::{collections::BTreeMap, path::Path, time::Instant};

use deploy_wire::machine::Generator;
use serde::Deserialize;

use super::{
    apart::Wanted,
    evaluation::{FleetEvaluation, OpenedFlake},
    overrides::Overrides,
};
use crate::{
    error::{Failure, Result},
    report::{Event, Report},
    stages::flake::Selection,
    tools::nix::Nix,
};

/// A secret, as a machine declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredSecret {
    /// The machine.
    pub machine: String,
    /// The services that read it; none where nothing says so.
    pub services: Vec<String>,
    /// What belongs into it; may be empty.
    pub hint: String,
    /// What makes it.
    pub generator: Option<Generator>,
    /// The encrypted file.
    file: String,
}

#[derive(Debug, Deserialize)]
struct RawSecret {
    file: String,
    #[serde(default)]
    services: Vec<String>,
    #[serde(default)]
    hint: String,
    generator: Option<Generator>,
}

impl DeclaredSecret {
    /// Whether `file` is its encrypted file. Nix evaluates a copy of the flake, in which the file
    /// has the same place.
    pub fn is_in(&self, file: &Path) -> bool {
        let declared = Path::new(&self.file);
        let Ok(stored) = declared.strip_prefix("/nix/store") else { return file == declared };
        let mut parts = stored.components();
        let tree = parts.next().map(|part| part.as_os_str().to_string_lossy().into_owned());
        let inside = parts.as_path();
        if inside.as_os_str().is_empty() {
            // A file that was put into the store alone: its hash and a dash are in front.
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            return tree.and_then(|tree| tree.get(33..).map(|rest| rest == name)).unwrap_or(false);
        }
        file.ends_with(inside)
    }
}

/// The secrets of all selected machines. What cannot be evaluated is reported and left out.
pub async fn declared_secrets(
    nix: &Nix,
    selection: &Selection,
    overrides: &Overrides,
    report: &Report,
) -> Result<Vec<DeclaredSecret>> {
    let start = Instant::now();
    let opened = OpenedFlake::new(nix, selection, overrides, report).await?;
    let FleetEvaluation { evaluated, was_kept, .. } =
        opened.evaluate(nix, Wanted::Secrets, |_| {}).await?;
    // A generator of a later version of the modules, for example.
    let raw: BTreeMap<String, Vec<RawSecret>> =
        serde_json::from_value(evaluated.value["secrets"].clone()).map_err(|error| {
            let what = format!("what the machines of `{}` declare cannot be read", selection.flake);
            Failure::unchanged(what).because(error)
        })?;
    report.tell(Event::Evaluated {
        machines: raw.keys().cloned().collect(),
        kept: was_kept,
        milliseconds: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    let of = |(machine, secrets): (String, Vec<RawSecret>)| {
        secrets.into_iter().map(move |secret| {
            let RawSecret { file, services, hint, generator } = secret;
            DeclaredSecret { machine: machine.clone(), services, hint, generator, file }
        })
    };
    Ok(raw.into_iter().flat_map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_file_is_found_in_the_user_s_folder() {
        let is_in = |declared: &str, file: &str| {
            let declared = DeclaredSecret {
                machine: "frame1".into(),
                services: Vec::new(),
                hint: String::new(),
                generator: None,
                file: declared.into(),
            };
            declared.is_in(Path::new(file))
        };
        let tree = "/nix/store/00000000000000000000000000000000-source";
        let alone = "/nix/store/00000000000000000000000000000000-a.age";
        assert!(is_in(&format!("{tree}/secrets/a.age"), "/home/joe/fleet/secrets/a.age"));
        assert!(!is_in(&format!("{tree}/secrets/a.age"), "/home/joe/fleet/secrets/web/a.age"));
        assert!(!is_in(&format!("{tree}/secrets/a.age"), "/home/joe/fleet/other-secrets/a.age"));
        assert!(is_in(alone, "/home/joe/fleet/secrets/a.age"));
        assert!(!is_in(alone, "/home/joe/fleet/secrets/b.age"));
        assert!(is_in("/home/joe/fleet/a.age", "/home/joe/fleet/a.age"));
        assert!(!is_in("/home/joe/other/a.age", "/home/joe/fleet/a.age"));
        assert!(!is_in("/nix/store/short", "/home/joe/fleet/short"));
    }
}
