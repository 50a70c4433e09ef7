//! The machine after its restart: it is waited for, recorded, and confirmed as a deploy is.

use std::time::Duration;

use deploy_wire::{
    attempt::Mode,
    machine::{Machine, Ssh},
    store_path::StorePath,
};
use tokio::time::{Instant, sleep};

use super::{build::BuiltInstallation, key::WrittenKey, look::Looked};
use crate::{
    args::InstallArgs,
    error::{Failure, Result, State},
    outcome::{Ending, exit_code, interrupted_code},
    pipeline::{Ahead, BeforeSwitch, Ended, Goal, Run, Stopped, WhenBusy},
    report::{Event, Report},
    secrets::recipient::Recipient,
    stages::{
        ask::{self, FirstLogin, Passwords, Probed, Way},
        plan::{AcceptedName, no_way_back::NoWayBack},
    },
    tools::{
        limit::within,
        ssh::{
            host_key::{self, ShownHostKey},
            known_hosts,
        },
        terminal::Interrupts,
    },
};

/// How long an address may take to show a host key: it may take a connection before sshd runs.
const SHOWS: Duration = Duration::from_secs(30);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// Waits for the machine, and confirms it; gives the exit code.
pub async fn confirm(
    args: &InstallArgs,
    looked: &Looked,
    built: BuiltInstallation,
    key: &WrittenKey,
    interrupts: &mut Interrupts,
    report: &Report,
) -> Result<u8> {
    let BuiltInstallation { mut machine, system, .. } = built;
    let name = machine.name.clone();
    // The machine's own key is what tells it from others, at whichever address it answers.
    let addresses = &mut machine.ssh.addresses;
    if machine.ssh.hostname != looked.host && !addresses.contains(&looked.host) {
        addresses.push(looked.host.clone());
    }
    let unpinned = machine.ssh.clone();
    machine.ssh.host_key = Some(key.public.clone());
    let limit = Duration::from_secs(args.boot_timeout);
    report.note(&name, format!("waiting for its new host key (at most {} s)", limit.as_secs()));
    let waits = Waits { machine: &machine, key: &key.public, end: Instant::now() + limit, limit };
    let seen = match interrupts.unless_interrupted(waits.seen(report)).await {
        Some(seen) => seen?,
        None => {
            return Err(
                waits.not_seen("was installed, and deploy was interrupted while it restarted")
            );
        }
    };
    refuse_another_system(&seen, &system)?;
    record(&unpinned, &machine, key, report).await;
    drop(seen);
    let run = Run {
        nix: looked.nix.clone(),
        report,
        way: Way::Ssh,
        goal: Goal::Installed,
        mode: Mode::Switch,
        accepted: AcceptedName(None),
        agent: None,
        when_busy: WhenBusy::Refuse,
        before_switch: BeforeSwitch::GoOn,
        no_way_back: NoWayBack::GoOn,
        ahead: Ahead::nothing(),
    };
    let Ended { machines, stopped } =
        run.deploy(vec![machine], FirstLogin::only_ordinary(), interrupts).await;
    let endings: Vec<Ending> = machines.iter().map(|(_, ending)| *ending).collect();
    let code = match stopped {
        Stopped::No => exit_code(&endings),
        Stopped::ByOperator => interrupted_code(&endings),
    };
    match code {
        0 => report.note(&name, format!("is installed; from now on: deploy {name}")),
        _ => {
            report.note(&name, format!("is installed and not confirmed; deploy {name} tries again"))
        }
    }
    report.tell(Event::Ended { machines, code });
    Ok(code)
}

/// The wait for a machine that restarts.
struct Waits<'a> {
    machine: &'a Machine,
    key: &'a str,
    end: Instant,
    limit: Duration,
}

impl Waits<'_> {
    /// The machine, once it shows its key and lets the operator in.
    async fn seen(&self, report: &Report) -> Result<Probed> {
        let name = &self.machine.name;
        loop {
            let mut last = String::new();
            for hostname in
                std::iter::once(&self.machine.ssh.hostname).chain(&self.machine.ssh.addresses)
            {
                let ssh =
                    Ssh { hostname: hostname.clone(), host_key: None, ..self.machine.ssh.clone() };
                match shown(&ssh).await {
                    Ok(ShownHostKey { key, .. }) if key == self.key => {
                        report.note(name, format!("shows its new host key at {hostname}"));
                        return self.logged_in(report).await;
                    }
                    Ok(ShownHostKey { key, .. }) => {
                        let other = Recipient::parse(&key);
                        let other = other.map_or(key, |key| key.fingerprint().to_owned());
                        last = format!(
                            "{hostname} shows the host key {other}: the installer's, or another \
                             machine's"
                        );
                    }
                    Err(why) => last = format!("{hostname}: {why}"),
                }
            }
            if Instant::now() > self.end {
                let what =
                    format!("was installed, and did not come up within {} s", self.limit.as_secs());
                return Err(self.not_seen(&what).because(last));
            }
            sleep(PAUSE).await;
        }
    }

    /// The machine shows its key, and may still refuse logins while it starts.
    async fn logged_in(&self, report: &Report) -> Result<Probed> {
        loop {
            let mut passwords = Passwords::default();
            match ask::ask(self.machine.clone(), Way::Ssh, &mut passwords, report).await {
                Ok(probed) => return Ok(probed),
                Err(mut failure) if Instant::now() > self.end => {
                    failure.what =
                        format!("{} is installed and refuses the login", self.machine.name);
                    let state = "it runs, and shows its new host key; nothing confirmed it";
                    return Err(failure.state(State::Changed(state.into())));
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    fn not_seen(&self, what: &str) -> Box<Failure> {
        let name = &self.machine.name;
        let what = format!("{name} {what}");
        let state = "its disks have the system and the host key, looked at before the restart";
        Failure::unchanged(what).state(State::NotKnown(state.into())).hint(Some(format!(
            "look at its screen: does it start from the disk, and not from the stick?\n\
             where it comes up later: deploy status {name}, deploy {name}"
        )))
    }
}

/// The host key that an address shows, if it answers in time.
async fn shown(ssh: &Ssh) -> std::result::Result<ShownHostKey, String> {
    within(SHOWS, host_key::shown(ssh)).await.map_err(|late| late.to_string())?
}

/// Refuses a machine that started another system than was installed.
fn refuse_another_system(seen: &Probed, system: &StorePath) -> Result<()> {
    let name = &seen.machine.name;
    if seen.facts.runs.as_ref() == Some(system) {
        return Ok(());
    }
    let runs = seen.facts.runs.as_ref().map_or("none that is known", StorePath::as_str);
    let state = format!("{name} runs {runs}; {system} is in its profile");
    Err(Failure::unchanged(format!("{name} started another system than was installed"))
        .because(format!("/run/current-system there is {runs}"))
        .state(State::Changed(state))
        .hint(Some(format!("deploy status {name} shows what boots"))))
}

/// Records the key for the addresses at which the machine shows it.
async fn record(unpinned: &Ssh, machine: &Machine, key: &WrittenKey, report: &Report) {
    let name = &machine.name;
    // The flake pins it.
    if unpinned.host_key.is_some() {
        return;
    }
    for hostname in std::iter::once(&unpinned.hostname).chain(&unpinned.addresses) {
        let ssh = Ssh { hostname: hostname.clone(), ..unpinned.clone() };
        let shows = shown(&ssh).await.is_ok_and(|shown| shown.key == key.public);
        if !shows {
            continue;
        }
        match known_hosts::record(&ssh, &key.public).await {
            Ok(Some(file)) => {
                report.note(name, format!("its host key is in {} as {hostname}", file.display()));
            }
            Ok(None) => {}
            Err(why) => {
                let text = format!("its host key is not recorded for {hostname}: {why}");
                report.tell(Event::Warning { machine: Some(name.clone()), text });
            }
        }
    }
}
