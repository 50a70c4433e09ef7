//! The shipped services that a new machine can begin with. Each is a line or two of `services.nix`; its
//! page in docs/services has the rest.

use std::collections::BTreeSet;

/// A shipped service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfferedService {
    /// Its name in `homelab.services`.
    pub name: &'static str,
    /// The label of its site in front of the domain; empty for the domain itself.
    site: Option<&'static str>,
    /// More lines of its entry.
    lines: &'static [&'static str],
    /// Services that it does not work without.
    needs: &'static [&'static str],
}

const fn plain(name: &'static str) -> OfferedService {
    OfferedService { name, site: None, lines: &[], needs: &[] }
}

const fn with_site(name: &'static str, label: &'static str) -> OfferedService {
    OfferedService { name, site: Some(label), lines: &[], needs: &["caddy"] }
}

/// All of them. `a-new-machine-of-the-template-s-fleet-evaluates-with-its-key-and-secrets` evaluates each.
pub const OFFERED: [OfferedService; 12] = [
    plain("alloy"),
    plain("caddy"),
    with_site("gatus", "status"),
    with_site("grafana", "grafana"),
    with_site("homepage", ""),
    with_site("loki", "logs"),
    plain("node-exporter"),
    OfferedService {
        name: "restic",
        site: None,
        lines: &[
            "# Use another host or disk as soon as there is something to lose:",
            "# \"sftp:backup@nas.example.org:/home\".",
            "repository = \"/var/backup/restic\";",
            "sameDiskReason = \"nothing is on it yet that is nowhere else\";",
        ],
        needs: &[],
    },
    plain("ssh"),
    plain("tailscale"),
    with_site("victoriametrics", "metrics"),
    OfferedService {
        name: "vmalert",
        site: None,
        lines: &[],
        needs: &["victoriametrics", "node-exporter"],
    },
];

/// The services that words mean, with what they need, by name. Without SSH a machine cannot be deployed
/// to. The error is the word that means none.
pub fn chosen<'w>(words: impl IntoIterator<Item = &'w str>) -> Result<Vec<OfferedService>, String> {
    let mut names = BTreeSet::from(["ssh"]);
    for word in words {
        let found = OFFERED.iter().find(|service| service.name == word);
        names.insert(found.ok_or_else(|| word.to_owned())?.name);
    }
    loop {
        let has = |service: &&OfferedService| names.contains(service.name);
        let needed: Vec<&str> =
            OFFERED.iter().filter(has).flat_map(|service| service.needs).copied().collect();
        let before = names.len();
        names.extend(needed);
        if names.len() == before {
            break;
        }
    }
    Ok(OFFERED.into_iter().filter(|service| names.contains(service.name)).collect())
}

/// The names of all, for people.
pub fn names() -> String {
    OFFERED.map(|service| service.name).join(", ")
}

/// Whether a domain is needed.
pub fn need_domain(services: &[OfferedService]) -> bool {
    services.iter().any(|service| service.name == "caddy")
}

/// The text of `services.nix`. Without a domain no service may need one.
pub fn module(machine: &str, services: &[OfferedService], domain: Option<&str>) -> String {
    let mut text = format!(
        "# The services of {machine}; each has a page in deploy's docs/services.\n{{\n  homelab = {{\n"
    );
    if let Some(domain) = domain {
        text += &format!(
            "    # The proxy's own authority, to begin with. For certificates that browsers trust:\n    \
             # mode = \"acme\", an e-mail address, and the token as secrets/dns-api-token.age.\n    \
             tls = {{\n      mode = \"internal\";\n      domains = [ \"{domain}\" ];\n    }};\n\n"
        );
    }
    text += "    services = {\n";
    for service in services {
        text += &entry(service, domain.unwrap_or_default());
    }
    text + "    };\n  };\n}\n"
}

fn entry(service: &OfferedService, domain: &str) -> String {
    let name = service.name;
    let site = service.site.map(|label| match label {
        "" => format!("sites = [ \"{domain}\" ];"),
        label => format!("sites = [ \"{label}.{domain}\" ];"),
    });
    let more = site.into_iter().chain(service.lines.iter().map(|line| (*line).to_owned()));
    let more: String = more.map(|line| format!("        {line}\n")).collect();
    match more.as_str() {
        "" => format!("      {name}.enable = true;\n"),
        more => format!("      {name} = {{\n        enable = true;\n{more}      }};\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_of(words: &[&str]) -> Vec<&'static str> {
        chosen(words.iter().copied()).unwrap().iter().map(|service| service.name).collect()
    }

    #[test]
    fn what_a_service_needs_comes_with_it_and_ssh_always() {
        assert_eq!(names_of(&[]), ["ssh"]);
        assert_eq!(
            names_of(&["vmalert"]),
            ["caddy", "node-exporter", "ssh", "victoriametrics", "vmalert"]
        );
        assert_eq!(chosen(["ssh", "postgres"]).unwrap_err(), "postgres");
        assert!(need_domain(&chosen(["grafana"]).unwrap()));
        assert!(!need_domain(&chosen(["restic"]).unwrap()));
    }

    #[test]
    fn a_module_has_an_entry_for_each() {
        let services = chosen(["homepage", "restic"]).unwrap();
        insta::assert_snapshot!(module("frame2", &services, Some("home.example.org")));
    }
}
