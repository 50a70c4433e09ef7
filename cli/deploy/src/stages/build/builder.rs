//! The choice of the builder: this computer, the machine, or another host.

use std::path::Path;

use deploy_wire::machine::{BuildPlace, Machine};

use crate::tools::nix::{Nix, Settings};

/// Where to build a machine's system. If the only builder that Nix would use is the machine itself,
/// `deploy` builds there directly; Nix would copy the closure here and back:
/// `a-builder-that-is-the-machine-keeps-what-it-builds`.
pub async fn choose(nix: &Nix, machine: &Machine) -> BuildPlace {
    match &machine.build.place {
        // If the settings cannot be read, Nix chooses.
        BuildPlace::Local => match nix.settings().await {
            Ok(settings) if only_builder_is(machine, settings) => BuildPlace::Target,
            _ => BuildPlace::Local,
        },
        BuildPlace::Host(host) if is_machine(machine, host) => BuildPlace::Target,
        other => other.clone(),
    }
}

fn only_builder_is(machine: &Machine, settings: &Settings) -> bool {
    let system = machine.system.as_str();
    if settings.jobs > 0 && settings.systems.iter().any(|own| own == system) {
        return false;
    }
    let text = match settings.builders.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(Path::new(file)).unwrap_or_default(),
        None => settings.builders.clone(),
    };
    let mut able = builders(&text).filter(|(_, systems)| systems.split(',').any(|s| s == system));
    able.next().is_some_and(|(host, _)| is_machine(machine, host)) && able.next().is_none()
}

/// The hosts and their systems, from the lines of `/etc/nix/machines`.
fn builders(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(['\n', ';']).filter_map(|line| {
        let mut words = line.split_whitespace();
        let host = words.next().filter(|host| !host.starts_with('#'))?;
        Some((host, words.next().unwrap_or("-")))
    })
}

/// Whether a builder's name, in Nix's format, means the machine.
fn is_machine(machine: &Machine, builder: &str) -> bool {
    let host = builder.rsplit("://").next().unwrap_or(builder);
    let host = host.rsplit('@').next().unwrap_or(host);
    let host = host.split(['?', '/']).next().unwrap_or(host);
    host == machine.ssh.hostname || machine.ssh.addresses.iter().any(|each| each == host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        Machine::from_json(serde_json::json!({
            "version": 1, "name": "frame1", "system": "x86_64-linux", "hostName": "frame1",
            "toplevel": {
                "drv": "/nix/store/00000000000000000000000000000000-x.drv",
                "out": "/nix/store/11111111111111111111111111111111-x",
            },
            "ssh": { "hostname": "frame1", "addresses": ["10.0.0.1"] },
        }))
        .unwrap()
    }

    fn settings(jobs: u64, builders: &str) -> Settings {
        Settings {
            systems: vec!["x86_64-linux".into()],
            jobs,
            builders: builders.into(),
            purity: crate::tools::nix::Purity::Pure,
            accepts_flake_config: false,
        }
    }

    #[test]
    fn the_machine_builds_only_where_nothing_else_would() {
        let chosen = |jobs, builders| only_builder_is(&machine(), &settings(jobs, builders));
        assert!(chosen(0, "ssh-ng://root@frame1?ssh-key=x x86_64-linux"));
        assert!(chosen(0, "10.0.0.1 i686-linux,x86_64-linux - 8"));
        assert!(chosen(0, "# other x86_64-linux\nframe1 x86_64-linux ; arm aarch64-linux"));
        assert!(!chosen(1, "frame1 x86_64-linux"), "this computer builds");
        assert!(!chosen(0, "frame1 x86_64-linux; big x86_64-linux"), "Nix chooses");
        assert!(!chosen(0, "frame1 aarch64-linux"), "another platform");
        assert!(!chosen(0, ""));
    }
}
