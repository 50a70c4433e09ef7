//! The checks of secrets: after the switch, each is where the system declares it.

use deploy_wire::machine::{Check, CheckKind, Level, Secret};

/// The check of a secret, called `secret.NAME`. agenix and sops-nix put secrets in place before any
/// unit starts, and go on where they fail, so there is no grace:
/// `a-secret-that-is-gone-after-the-switch-goes-back-on-real-nixos` proves it.
pub fn of_secret(name: &str, kind: CheckKind) -> Check {
    Check {
        name: format!("secret.{name}"),
        service: "secrets".into(),
        level: Level::Required,
        grace: 0,
        kind,
    }
}

/// The checks of agenix's secrets.
pub fn of_secrets(secrets: &[Secret]) -> Vec<Check> {
    let check = |secret: &Secret| {
        let kind = CheckKind::File {
            path: secret.path.clone(),
            mode: Some(secret.mode.clone()),
            owner: Some(secret.owner.clone()),
            group: Some(secret.group.clone()),
        };
        of_secret(&secret.name, kind)
    };
    secrets.iter().map(check).collect()
}

/// The declared checks with those of secrets. A declared check takes the place of one of its name,
/// such as an advisory one for a file that a service changes.
pub fn beside(declared: &[Check], own: Vec<Check>) -> Vec<Check> {
    let is_own = |check: &Check| declared.iter().all(|other| other.name != check.name);
    declared.iter().cloned().chain(own.into_iter().filter(is_own)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_secret_is_checked_by_its_name() {
        let full = include_str!("../../../wire/golden/machine/full.json");
        let full: serde_json::Value = serde_json::from_str(full).unwrap();
        let secrets: Vec<Secret> = serde_json::from_value(full["secrets"].clone()).unwrap();
        let checks = of_secrets(&secrets);
        let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(names, ["secret.cloudflare", "secret.grafana-secret-key"]);
        assert_eq!((checks[0].level, checks[0].grace), (Level::Required, 0));
        let advisory = Check { level: Level::Advisory, ..checks[0].clone() };
        let all = beside(std::slice::from_ref(&advisory), checks.clone());
        assert_eq!(all, [advisory, checks[1].clone()], "a declared check takes its place");
    }
}
