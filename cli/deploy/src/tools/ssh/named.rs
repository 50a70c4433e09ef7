//! A machine that no flake describes, as the command line names it.

use deploy_wire::machine::Ssh;

/// How a machine is reached that a word of the command line names: `[USER@]HOST[:PORT]`; an address of IPv6 with a port is in brackets.
pub fn named(host: &str) -> Ssh {
    let (user, host) = match host.split_once('@') {
        Some((user, host)) => (Some(user.to_owned()), host),
        None => (None, host),
    };
    let with_port = host.rsplit_once(':').and_then(|(name, port)| {
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        let name = bare.or_else(|| (!name.contains(':')).then_some(name))?;
        Some((name.to_owned(), port.parse().ok()?))
    });
    let (hostname, port) = match with_port {
        Some((hostname, port)) => (hostname, Some(port)),
        None => (host.to_owned(), None),
    };
    Ssh { hostname, addresses: Vec::new(), port, user, opts: Vec::new(), host_key: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_user_and_a_port() {
        for (word, user, host, port) in [
            ("frame1", None, "frame1", None),
            ("root@10.0.0.1:2222", Some("root"), "10.0.0.1", Some(2222)),
            ("[fe80::1]:22", None, "fe80::1", Some(22)),
            ("fe80::1", None, "fe80::1", None),
        ] {
            let ssh = named(word);
            let found = (ssh.user.as_deref(), ssh.hostname.as_str(), ssh.port);
            assert_eq!(found, (user, host, port), "{word}");
        }
    }
}
