//! The address of a machine, from the flake or the command line.

use deploy_wire::machine::{Machine, Ssh};

use crate::error::{Failure, Result};

/// Splits a port off the address, and refuses an unusable address.
pub fn settle(machine: &mut Machine) -> Result<()> {
    let name = &machine.name;
    let Ssh { hostname, addresses, port, .. } = &mut machine.ssh;
    if std::iter::once(&*hostname).chain(&*addresses).any(String::is_empty) {
        return Err(Failure::unchanged(format!("machine {name} has an empty `hostname`")).hint(
            Some("builtins.getEnv gives nothing without `-- --impure`, or --hostname HOST".into()),
        ));
    }
    if let Some((host, own)) = with_port(hostname) {
        if port.is_some_and(|port| port != own) {
            let what = format!("`hostname` and `ssh.port` of {name} name two ports");
            return Err(Failure::unchanged(what)
                .because(format!("{hostname}, and {}", port.unwrap_or_default())));
        }
        *port = Some(own);
        *hostname = host;
    }
    for address in addresses.iter_mut() {
        let Some((host, own)) = with_port(address) else { continue };
        if *port != Some(own) {
            return Err(Failure::unchanged(format!("`{address}` of {name} has a port of its own"))
                .because("all addresses of a machine are asked at the same port")
                .hint(Some("`ssh.port`, or an alias of ssh_config as the address".into())));
        }
        *address = host;
    }
    Ok(())
}

/// Splits `host:22` and `[::1]:22`. An IPv6 address has more than one colon.
fn with_port(address: &str) -> Option<(String, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = bare.unwrap_or(host);
    (bare.is_some() || !host.contains(':')).then_some(())?;
    Some((host.to_owned(), port.parse().ok().filter(|port| *port > 0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(ssh: serde_json::Value) -> Machine {
        Machine::from_json(serde_json::json!({
            "version": 1, "name": "frame1", "system": "x86_64-linux",
            "toplevel": {
                "drv": "/nix/store/00000000000000000000000000000000-x.drv",
                "out": "/nix/store/11111111111111111111111111111111-x",
            },
            "ssh": ssh,
        }))
        .unwrap()
    }

    #[test]
    fn one_colon_is_a_port() {
        for (address, host, port) in [
            ("10.0.0.1:22", "10.0.0.1", Some(22)),
            ("root@frame1:2222", "root@frame1", Some(2222)),
            ("[fe80::1]:22", "fe80::1", Some(22)),
            ("fe80::1", "fe80::1", None),
            ("::1", "::1", None),
            ("frame1", "frame1", None),
            ("frame1:ssh", "frame1:ssh", None),
        ] {
            let mut machine = machine(serde_json::json!({ "hostname": address }));
            settle(&mut machine).unwrap();
            assert_eq!(
                (machine.ssh.hostname.as_str(), machine.ssh.port),
                (host, port),
                "{address}"
            );
        }
    }

    #[test]
    fn two_ports_or_no_address_are_refused() {
        for (ssh, what) in [
            (
                serde_json::json!({ "hostname": "a:1", "port": 2 }),
                "`hostname` and `ssh.port` of frame1 name two ports",
            ),
            (
                serde_json::json!({ "hostname": "a", "addresses": ["b:2"] }),
                "`b:2` of frame1 has a port of its own",
            ),
            (serde_json::json!({ "hostname": "" }), "machine frame1 has an empty `hostname`"),
        ] {
            assert_eq!(settle(&mut machine(ssh)).unwrap_err().what, what);
        }
        let mut same = machine(serde_json::json!({ "hostname": "a:2", "addresses": ["b:2"] }));
        settle(&mut same).unwrap();
        assert_eq!(same.ssh.addresses, ["b"]);
    }
}
