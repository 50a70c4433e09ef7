//! How a machine is in the network: an address that it has of itself is written down, as the machine
//! would be gone without it. An address by DHCP comes again.

use super::{AdoptedPart, Surveyed, quoted};

/// The settings of its interfaces.
pub fn settings(said: &Surveyed) -> AdoptedPart {
    let own: Vec<(&str, &str, &str)> =
        said.addresses.lines().filter_map(address).filter(|(name, ..)| is_a_port(name)).collect();
    if own.is_empty() {
        return AdoptedPart { text: String::new(), note: None };
    }
    let mut text = String::from("  networking = {\n    useDHCP = false;\n");
    for (interface, address, length) in &own {
        text += &format!(
            "    interfaces.{}.ipv4.addresses = [\n      {{\n        address = {};\n        \
             prefixLength = {length};\n      }}\n    ];\n",
            quoted(interface),
            quoted(address)
        );
    }
    let mut words = said.route.split_whitespace().skip_while(|word| *word != "via").skip(1);
    if let Some(gateway) = words.next().filter(|gateway| is_address(gateway)) {
        text += &format!("    defaultGateway = {};\n", quoted(gateway));
    }
    let servers = said.nameservers.lines().filter_map(|line| line.split_whitespace().nth(1));
    // A resolver of the machine's own knows the others by itself.
    let servers: Vec<String> = servers
        .filter(|server| is_address(server) && !server.starts_with("127."))
        .map(quoted)
        .collect();
    if !servers.is_empty() {
        text += &format!("    nameservers = [ {} ];\n", servers.join(" "));
    }
    let names: Vec<&str> = own.iter().map(|(name, ..)| *name).collect();
    let note = format!(
        "{} has an address that no DHCP server gave it: compare `networking` in default.nix with \
         what the machine was configured with",
        names.join(", ")
    );
    AdoptedPart { text: text + "  };\n", note: Some(note) }
}

/// The interface, address and prefix of a line of `ip -o -4 address`, unless DHCP gave it: then `ip`
/// says that it is dynamic.
fn address(line: &str) -> Option<(&str, &str, &str)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, interface, "inet", address, rest @ ..] = words.as_slice() else { return None };
    let (address, length) = address.split_once('/')?;
    let is = is_address(address) && length.parse::<u8>().is_ok_and(|length| length <= 32);
    (is && !rest.contains(&"dynamic")).then_some((*interface, address, length))
}

/// Whether an interface is one of the machine's own, and not made by a program.
fn is_a_port(name: &str) -> bool {
    let made = ["docker", "podman", "veth", "virbr", "br-", "cni", "tailscale", "wg", "tun", "tap"];
    !made.iter().any(|prefix| name.starts_with(prefix))
}

fn is_address(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
}
