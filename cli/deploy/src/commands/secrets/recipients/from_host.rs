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
    tools::ssh::{
        host_key::{self, KnownAs, ShownHostKey},
        named,
    },
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
        Some(host) => named(host),
        None => match of_machine(args, name, opened, report).await {
            Some(ssh) => ssh,
            None => named(name),
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
