//! The checks of secrets: after the switch, each is where the system declares it.

use deploy_wire::machine::{Check, CheckKind, Level, Secret};

/// The service that the checks of secrets belong to.
const SERVICE: &str = "secrets";

/// A check for each secret, called `secret.NAME`. A declared check of that name takes its place,
/// such as an advisory one for a file that a service changes.
///
/// agenix decrypts before it starts any unit, and goes on where it fails, so there is no grace:
/// `a-secret-that-is-gone-after-the-switch-goes-back-on-real-nixos` proves it.
pub fn of_secrets(secrets: &[Secret], declared: &[Check]) -> Vec<Check> {
    let check = |secret: &Secret| Check {
        name: format!("secret.{}", secret.name),
        service: SERVICE.into(),
        level: Level::Required,
        grace: 0,
        kind: CheckKind::File {
            path: secret.path.clone(),
            mode: Some(secret.mode.clone()),
            owner: Some(secret.owner.clone()),
            group: Some(secret.group.clone()),
        },
    };
    let is_own = |check: &Check| declared.iter().all(|other| other.name != check.name);
    secrets.iter().map(check).filter(is_own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_secret_is_checked_unless_the_flake_has_a_check_of_that_name() {
        let full = include_str!("../../../wire/golden/machine/full.json");
        let full: serde_json::Value = serde_json::from_str(full).unwrap();
        let secrets: Vec<Secret> = serde_json::from_value(full["secrets"].clone()).unwrap();
        let checks = of_secrets(&secrets, &[]);
        let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(names, ["secret.cloudflare", "secret.grafana-secret-key"]);
        assert_eq!((checks[0].level, checks[0].grace), (Level::Required, 0));
        let own = Check { level: Level::Advisory, ..checks[0].clone() };
        assert_eq!(of_secrets(&secrets, &[own]), checks[1..]);
    }
}
