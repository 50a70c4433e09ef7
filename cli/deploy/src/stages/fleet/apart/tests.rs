use std::{fs, os::unix::fs::PermissionsExt};

use super::*;

/// A `nix` for the machines `a`, `b`, `bad` and `c`. An evaluation waits for another one to begin
/// beside it, and one with `bad` fails.
const NIX: &str = r#"#!/bin/sh
case "$*" in
*'what\":\"names'*) echo '{"known":["a","b","bad","c"],"names":["a","b","bad","c"]}'; exit ;;
esac
names=$(printf %s "$*" | sed -n 's/.*among\\":\[\([^]]*\)\].*/\1/p' | tr -d '\\"' | tr , ' ')
touch "$FOLDER/began-$$"
tries=0
until [ "$(ls "$FOLDER" | grep -c began)" -gt 1 ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 1000 ] || { echo 'error: it was alone' >&2; exit 1; }
  sleep 0.01
done
echo "warning: $names" >&2
machines=
for name in $names; do
  [ "$name" != bad ] || { echo 'error: bad' >&2; exit 1; }
  machines="$machines,\"$name\":{}"
done
printf '{"known":["a","b","bad","c"],"failed":[],"machines":{%s}}' "${machines#,}"
"#;

#[tokio::test]
async fn machines_are_evaluated_at_once_and_one_that_fails_stops_only_itself() {
    for by in [Share::Equal, Share::One] {
        evaluated_by(by).await;
    }
}

async fn evaluated_by(by: Share) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("nix");
    let text = NIX.replace("$FOLDER", folder.path().to_str().unwrap());
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let asked = Asked { url: "flake", candidates: None, what: Wanted::Machines };
    let (mut told, mut some) = (Vec::new(), 0);
    let tell = |step: EvaluationStep<'_>| match step {
        EvaluationStep::Failed(name, error) => told.push(format!("{name}: {error}")),
        EvaluationStep::Evaluated(value) => some += value["machines"].as_object().unwrap().len(),
        EvaluationStep::Builds(_) | EvaluationStep::Apart => {}
    };
    let division = Division { workers: 2, by };
    let outcome = asked.evaluate(&Nix::at(program, &[]), division, tell).await.unwrap();
    let machines = outcome.evaluated.value["machines"].as_object().unwrap();
    assert_eq!(machines.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(outcome.failed, ["bad"]);
    assert_eq!(some, 3);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("error: bad"), "{told:?}");
}
