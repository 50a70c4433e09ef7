//! `deploy status`: shows the running, the booting and the confirmed system.

use deploy_wire::{
    baseline::Confirmed,
    machine::Profile,
    message::{Reply, Request, Status},
    outcome::BootDefault,
    record::Record,
    store_path::StorePath,
};

use super::evaluate::machines;
use crate::{
    args::StatusArgs,
    error::{Failure, Result},
    outcome,
    queries::look,
    report::{Event, Report, older_secret_lines},
    stages::{
        ask::{self, Passwords, Probed, ProfileFacts},
        flake::{self, Aim},
        plan::changes::secrets::Encrypted,
    },
};

/// Asks each machine. Exit code 0: all well; 1: there is a finding; 2: the command line is wrong;
/// 6: a machine could not be asked.
pub async fn run(args: &StatusArgs) -> u8 {
    let StatusArgs { machines: named, showing, reach } = args;
    let (format, detail) = showing.report();
    let report = Report::new(format, detail);
    let failed = |failure, code| {
        report.tell(Event::Failed(failure));
        code
    };
    let selection = match flake::select(&named.words()) {
        Ok(selection) => selection.aimed_at(Aim::Look),
        Err(failure) => return failed(failure, outcome::USAGE),
    };
    let overrides = reach.overrides(showing.overrides());
    let (_, fleet) = match machines(&selection, &overrides, &report).await {
        Ok(found) => found,
        Err(failure) => return failed(failure, outcome::COULD_NOT_LOOK),
    };
    let mut passwords = Passwords::default();
    let mut code = fleet.code_or(outcome::COULD_NOT_LOOK);
    for machine in fleet.machines {
        let told = async {
            let probed = ask::ask(machine, reach.way(), &mut passwords, &report).await?;
            look_at(&probed).await
        };
        match told.await {
            Ok((found, event)) => {
                report.tell(event);
                code = code.max(found);
            }
            Err(failure) => {
                report.tell(Event::Failed(failure));
                code = outcome::COULD_NOT_LOOK;
            }
        }
    }
    code
}

async fn look_at(probed: &Probed) -> Result<(u8, Event)> {
    let (status, secrets) = tokio::join!(status(probed), Encrypted::compare_with_running(probed));
    let status = status?;
    let machine = probed.machine.name.clone();
    let findings = findings(&status);
    let code = if findings.is_empty() { 0 } else { outcome::FINDING };
    let mut lines = lines(&status, probed.facts.now);
    lines.extend(profiles(probed));
    lines.extend(secrets.iter().flat_map(older_secret_lines));
    lines.extend(findings.into_iter().map(|finding| format!("finding: {finding}")));
    Ok((code, Event::Status { machine, lines, status: Box::new(status), secrets }))
}

/// Asks the agent where there is one, because it first ends an attempt that a power cut left open.
/// Otherwise uses the facts of the login.
async fn status(probed: &Probed) -> Result<Status> {
    if let Some(agent) = &probed.facts.agent {
        let replies = look::ask(probed, agent, Request::Status).await?;
        if let Some(Reply::Status(status)) = replies.into_iter().next() {
            return Ok(*status);
        }
    }
    let facts = &probed.facts;
    let broken = |what: &str, file: &str, why: &String| {
        let path = format!("/nix/var/deploy-agent/{file}");
        let runs = facts.runs.as_ref().map_or("nothing known".into(), ToString::to_string);
        Failure::unchanged(format!("the {what} on {} cannot be read", probed.machine.name))
            .because(format!("{path}: {why}"))
            .because(format!("it runs {runs}, and boots {}", facts.boots))
            .hint(Some(format!(
                "if that is what it should run, move the file away there: mv {path} {path}.damaged"
            )))
    };
    Ok(Status {
        runs: facts.runs.clone(),
        boots: facts.boots.clone(),
        profile: deploy_wire::record::ProfileLink {
            generation: facts.generation,
            system: facts.profile.clone(),
        },
        confirmed: facts
            .confirmed
            .clone()
            .map_err(|why| broken("confirmed system", "confirmed.json", &why))?,
        attempt: facts.attempt.clone().map_err(|why| broken("record", "attempt.json", &why))?,
        failed_units: facts.failed_units.clone(),
    })
}

fn lines(status: &Status, now: u64) -> Vec<String> {
    let path = |path: &Option<StorePath>| {
        path.as_ref().map_or("nothing known".into(), ToString::to_string)
    };
    let generation = status
        .profile
        .generation
        .map(|number| format!("generation {number}: "))
        .unwrap_or_default();
    let mut lines = vec![
        format!("runs:      {}", path(&status.runs)),
        format!("boots:     {}", status.boots),
        format!("profile:   {generation}{}", path(&status.profile.system)),
        format!("confirmed: {}", confirmed(status.confirmed.as_ref(), now)),
    ];
    lines.extend(
        status.attempt.as_ref().map(|record| format!("attempt:   {}", attempt(record, now))),
    );
    match &status.failed_units {
        None => lines.push("failed:    not known: systemd could not be asked".into()),
        Some(units) if units.is_empty() => {}
        Some(units) => lines.push(format!("failed:    {}", units.join(", "))),
    }
    lines
}

/// The links of the flake's other profiles, as read at the login.
fn profiles(probed: &Probed) -> Vec<String> {
    let seen = probed.facts.profiles.iter();
    let of = |(profile, seen): (&Profile, &ProfileFacts)| {
        let names = seen.names.as_ref().map_or("nothing known".into(), ToString::to_string);
        format!("{profile}: {names}")
    };
    probed.machine.other_profiles().into_iter().zip(seen).map(of).collect()
}

fn confirmed(confirmed: Option<&Confirmed>, now: u64) -> String {
    let Some(confirmed) = confirmed else {
        return "nothing yet; what runs is the baseline".into();
    };
    let revision = confirmed.revision.as_ref().and_then(|revision| {
        let rev = revision.rev.as_ref()?;
        Some(format!(
            ", revision {}{}",
            &rev[..rev.len().min(12)],
            if revision.dirty { " and changes" } else { "" }
        ))
    });
    format!(
        "{} by attempt {}, {} ago{}",
        confirmed.toplevel,
        confirmed.attempt,
        age(now.saturating_sub(confirmed.at)),
        revision.unwrap_or_default()
    )
}

fn attempt(record: &Record, now: u64) -> String {
    let Record { attempt, operator, since, phase, outcome, .. } = record;
    let by = format!(
        "{attempt} by {}@{}, begun {} ago",
        operator.user,
        operator.host,
        age(now.saturating_sub(*since))
    );
    match outcome {
        None => format!("{by}: open, phase {phase}"),
        Some(outcome) => match &outcome.why {
            Some(why) => format!("{by}: {}: {why}", outcome.end),
            None => format!("{by}: {}", outcome.end),
        },
    }
}

/// The differences from the confirmed state.
fn findings(status: &Status) -> Vec<String> {
    let mut findings = Vec::new();
    if let Some(confirmed) = &status.confirmed {
        if status.runs.as_ref() != Some(&confirmed.toplevel) {
            findings.push("it does not run what was confirmed".to_owned());
        }
        if let BootDefault::Known(boots) = &status.boots
            && *boots != confirmed.toplevel
        {
            findings.push("it does not boot what was confirmed".to_owned());
        }
    }
    if let BootDefault::Known(boots) = &status.boots
        && Some(boots) != status.runs.as_ref()
    {
        findings.push("it boots another system than it runs".to_owned());
    }
    if status.attempt.as_ref().is_some_and(Record::is_open) {
        findings.push("an attempt is open".to_owned());
    }
    findings
}

/// Formats seconds in the largest unit that fits.
fn age(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_units_that_nobody_could_ask_after_are_not_none() {
        let failed = |failed_units| {
            let status = Status {
                runs: None,
                boots: BootDefault::Unknown("why".into()),
                profile: deploy_wire::record::ProfileLink { generation: None, system: None },
                confirmed: None,
                attempt: None,
                failed_units,
            };
            lines(&status, 0).into_iter().find(|line| line.starts_with("failed:"))
        };
        assert_eq!(failed(Some(Vec::new())), None);
        assert_eq!(failed(Some(vec!["a.service".into()])).unwrap(), "failed:    a.service");
        assert!(failed(None).unwrap().contains("not known"));
    }

    #[test]
    fn ages_are_in_the_largest_unit() {
        assert_eq!(age(5), "5 s");
        assert_eq!(age(600), "10 min");
        assert_eq!(age(90_000), "25 h");
        assert_eq!(age(864_000), "10 days");
    }
}
