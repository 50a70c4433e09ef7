//! How a machine's services are reached from this computer.

use crate::vm::ports::{self, Forward};

/// The lines that say so.
pub fn lines(name: &str, sites: &[String], forwards: &[Forward]) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(port) = ports::here_for(forwards, ports::SSH) {
        lines.push(format!("ssh:     deploy vm ssh {name} (port {port})"));
    }
    let (Some(port), Some(first)) = (ports::here_for(forwards, ports::HTTPS), sites.first()) else {
        return lines;
    };
    let url = |site: &str| format!("https://{site}:{port}/");
    lines.extend(sites.iter().map(|site| format!("site:    {}", url(site))));
    lines.push(format!("once:    curl -k --resolve {first}:{port}:127.0.0.1 {}", url(first)));
    lines.push(format!("browser: a line in /etc/hosts: 127.0.0.1 {}", sites.join(" ")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_site_has_its_url_and_the_first_a_command_line() {
        let sites = ["grafana.lan", "lan"].map(str::to_owned);
        let forwards = ports::with(&["9443:443".parse().unwrap()]).unwrap();
        insta::assert_snapshot!(lines("frame1-vm", &sites, &forwards).join("\n"), @r"
        ssh:     deploy vm ssh frame1-vm (port 2222)
        site:    https://grafana.lan:9443/
        site:    https://lan:9443/
        once:    curl -k --resolve grafana.lan:9443:127.0.0.1 https://grafana.lan:9443/
        browser: a line in /etc/hosts: 127.0.0.1 grafana.lan lan
        ");
        assert_eq!(lines("frame1-vm", &[], &forwards).len(), 1);
    }
}
