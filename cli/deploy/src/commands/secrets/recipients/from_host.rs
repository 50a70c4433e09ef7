//! A machine's host key, taken over SSH.

use deploy_wire::machine::Ssh;

use super::super::{Opened, uses};
use crate::{
    args::AddRecipientArgs,
    commands::evaluate,
    error::{Failure, Result},
    question,
    report::{Event, Report},
    secrets::recipient::Recipient,
    stages::flake::{Aim, Selection, Word},
    tools::ssh::host_key::{self, KnownAs, ShownHostKey},
};

/// What shows the fingerprint at the machine itself, where nobody in between can change it.
const COMPARE: &str = "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub";

/// The key of `host`, else of the flake's machine of that name, else of what ssh_config calls so.
pub async fn key(
    args: &AddRecipientArgs,
    host: Option<&str>,
    opened: &Opened,
    report: &Report,
) -> Result<String> {
    let name = args.name.rsplit('.').next().unwrap_or(&args.name);
    let ssh = match host {
        Some(host) => to(host),
        None => match of_machine(args, name, opened, report).await {
            Some(ssh) => ssh,
            None => to(name),
        },
    };
    let at = match ssh.port {
        Some(port) => format!("[{}]:{port}", ssh.hostname),
        None => ssh.hostname.clone(),
    };
    let refused = || Failure::unchanged(format!("the host key of {at} was not taken"));
    let ShownHostKey { key, known } = host_key::shown(&ssh).await.map_err(|why| {
        refused().because(why).hint(Some(
            "--from-host HOST names another address; on the machine the key is in \
             /etc/ssh/ssh_host_ed25519_key.pub"
                .into(),
        ))
    })?;
    let recipient = Recipient::parse(&key).map_err(|why| refused().because(why))?;
    let fingerprint = recipient.fingerprint();
    let pinned = ssh.host_key.as_deref();
    if pinned.is_some_and(|pinned| !pinned.contains(&key)) {
        return Err(
            refused().because(format!("{at} shows {fingerprint}, and the flake pins another"))
        );
    }
    let known = match known {
        KnownAs::Other => {
            return Err(refused()
                .because(format!(
                    "{at} shows {fingerprint}, and known_hosts has another key for it"
                ))
                .hint(Some(format!(
                    "compare it on the machine: {COMPARE}; where it is the same: ssh-keygen -R '{at}', \
                     then again"
                ))));
        }
        KnownAs::Same => "the one in known_hosts",
        KnownAs::Nobody if pinned.is_some() => "the one that the flake pins",
        KnownAs::Nobody => {
            &format!("not in known_hosts: compare it on the machine: {COMPARE}") as &str
        }
    };
    let text = format!("{at}: {fingerprint}, {known}");
    report.tell(Event::SecretsDone { secret: None, text });
    if !args.yes {
        let asked = question::ask_yes_or_no(&format!("is it the key of {}?", args.name)).await;
        asked.map_err(|not| refused().because(not).hint(Some("--yes answers".into())))?;
    }
    Ok(key)
}

/// `[USER@]HOST[:PORT]`; an address of IPv6 with a port is in brackets.
fn to(host: &str) -> Ssh {
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

/// How the flake's machine is reached, where there is one that can be evaluated.
async fn of_machine(
    args: &AddRecipientArgs,
    name: &str,
    opened: &Opened,
    report: &Report,
) -> Option<Ssh> {
    let flake = uses::flake_of(&opened.rules.folder)?.display().to_string();
    let names = Some(vec![Word::parse(name).ok()?]);
    let selection = Selection { flake, names, aim: Aim::Look };
    match evaluate::fleet(&selection, &uses::overrides(&args.rules), report).await {
        Ok((_, fleet)) => fleet.machines.into_iter().next().map(|machine| machine.ssh),
        Err(failure) => {
            let text = format!("{}: {name} is asked as ssh knows it", failure.what);
            report.tell(Event::Warning { machine: None, text });
            None
        }
    }
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
            let ssh = to(word);
            let found = (ssh.user.as_deref(), ssh.hostname.as_str(), ssh.port);
            assert_eq!(found, (user, host, port), "{word}");
        }
    }
}
