//! `deploy status`: what runs, what boots, what is confirmed.

use deploy_wire::{
    baseline::Confirmed,
    message::{Reply, Request, Status},
    outcome::BootDefault,
    record::Record,
    store_path::StorePath,
};

use super::deploy::{machines, select};
use crate::{
    args::LookArgs,
    error::{Failure, Result},
    outcome,
    report::{Event, Report},
    stages::{
        ask::{self, Passwords, Probed},
        look,
    },
};

/// Asks each machine. 0: all well; 1: something is not as confirmed; 6: a
/// machine could not be asked.
pub async fn run(args: &LookArgs) -> u8 {
    let report = Report::new(args.machines.format(), args.machines.detail());
    let asked = async {
        let selection = select(&args.machines)?;
        machines(&selection, &args.machines.overrides(), &report).await
    };
    let (_, fleet) = match asked.await {
        Ok(found) => found,
        Err(failure) => {
            report.tell(Event::Failed(failure));
            return outcome::COULD_NOT_LOOK;
        }
    };
    let mut passwords = Passwords::default();
    let mut code = 0;
    for machine in fleet.machines {
        let told = async {
            let probed = ask::ask(machine, args.machines.way(), &mut passwords, &report).await?;
            told(&probed).await
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

async fn told(probed: &Probed) -> Result<(u8, Event)> {
    let status = status(probed).await?;
    let machine = probed.machine.name.clone();
    let findings = findings(&status);
    let code = if findings.is_empty() { 0 } else { outcome::FINDING };
    let mut lines = lines(&status, probed.facts.now);
    lines.extend(findings.into_iter().map(|finding| format!("finding: {finding}")));
    Ok((code, Event::Status { machine, lines, status: Box::new(status) }))
}

/// The agent's own answer where there is an agent: it first finishes what a
/// power cut left open. Else what the login told.
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
        failed_units: Vec::new(),
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
    if !status.failed_units.is_empty() {
        lines.push(format!("failed:    {}", status.failed_units.join(", ")));
    }
    lines
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

/// What is not as it was confirmed.
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

/// Seconds in the largest unit that fits.
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
    fn ages_are_in_the_largest_unit() {
        assert_eq!(age(5), "5 s");
        assert_eq!(age(600), "10 min");
        assert_eq!(age(90_000), "25 h");
        assert_eq!(age(864_000), "10 days");
    }
}
