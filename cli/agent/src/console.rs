//! The commands for root at the machine's console.

use std::{fmt::Display, fs};

use anyhow::{Context, Result, bail};
use deploy_wire::{
    attempt::AttemptId,
    machine::{Level, Manifest},
    outcome::End,
    printable::Printable,
    record::Record,
};

use crate::{
    attempt::{
        agent::Agent,
        confirmation::{self, Taken},
        ledger::Ledger,
        recover,
    },
    checks,
    machine::look,
    storage::paths::RUNNING,
};

/// Prints what runs, what boots and the last attempt. If the record is damaged, it still prints the
/// rest.
pub fn status() -> Result<()> {
    let attempt = recovered();
    print_systems();
    match Ledger::open().confirmed() {
        Ok(Some(confirmed)) => say("confirmed", &confirmed.toplevel),
        Ok(None) => say("confirmed", &"nothing yet"),
        Err(error) => say("confirmed", &format!("not known ({error:#})")),
    }
    match attempt {
        Ok(None) => say("attempt", &"none yet"),
        Ok(Some(record)) => print_attempt(&record),
        Err(error) => return Err(error.context("nothing is known of the last attempt")),
    }
    Ok(())
}

/// Looks once at each check that the running system declares. A failing one that decides over a deploy
/// goes to stderr and counts; everything else goes to stdout.
pub fn checks() -> Result<()> {
    let file = format!("{RUNNING}/{}", Manifest::FILE);
    let text = fs::read(&file).with_context(|| file.clone())?;
    let manifest = Manifest::from_json(serde_json::from_slice(&text)?).context(file)?;
    let mut failing = 0;
    for (name, outcome) in checks::once(&manifest.checks) {
        let decides = manifest
            .checks
            .iter()
            .any(|check| check.name == name && check.level == Level::Required);
        match outcome {
            Ok(detail) => println!("{}", Printable::line(&format!("passes {name}: {detail}"))),
            Err(detail) if decides => {
                failing += 1;
                eprintln!("{}", Printable::line(&format!("fails {name}: {detail}")));
            }
            Err(detail) => {
                let text = format!("does not decide: {name} fails: {detail}");
                println!("{}", Printable::line(&text));
            }
        }
    }
    match failing {
        0 => Ok(()),
        failing => bail!("{failing} of {} checks fail", manifest.checks.len()),
    }
}

/// Finishes an attempt that a power cut left open. It leaves an unreadable record alone, because
/// the machine has booted its boot default, and says so.
pub fn boot() -> Result<()> {
    let attempt = recovered().inspect_err(|_| print_systems())?;
    if let Some(record) = attempt {
        print_attempt(&record);
    }
    Ok(())
}

/// Prints a line. Services, builds and operators supply the texts in a record, so escape sequences
/// are removed.
fn say(name: &str, text: &dyn Display) {
    println!("{}", line(name, text));
}

fn line(name: &str, text: &dyn Display) -> Printable {
    Printable::line(&format!("{:<11}{text}", format!("{name}:")))
}

fn recovered() -> Result<Option<Record>> {
    recover::recover(&Agent::open()?)
}

fn print_systems() {
    match look::running() {
        Some(running) => say("runs", &running),
        None => say("runs", &"not known"),
    }
    say("boots", &look::boots());
}

fn print_attempt(record: &Record) {
    say("attempt", &format!("{} ({})", record.attempt, record.phase));
    if let Some(outcome) = &record.outcome {
        say("ended", &outcome.end);
        if let Some(why) = &outcome.why {
            say("why", why);
        }
        for note in &outcome.notes {
            say("note", note);
        }
    }
}

/// Confirms an attempt from the console, for a machine without a network.
pub fn confirm(attempt: &AttemptId) -> Result<()> {
    let agent = Agent::open()?;
    let Some(record) = agent.ledger.find(attempt)? else {
        bail!("there is no attempt {attempt} on this machine");
    };
    if record.is_open()
        && confirmation::confirm(&agent, &record, confirmation::console())? == Taken::TooEarly
    {
        bail!("attempt {attempt} is in phase {}, where nothing can be confirmed", record.phase);
    }
    match recover::wait_for_end(&agent, &record)?.and_then(|record| record.outcome) {
        Some(outcome) if outcome.end == End::Committed => {
            println!("committed");
            Ok(())
        }
        Some(outcome) => {
            bail!("attempt {attempt} was {}: {}", outcome.end, outcome.why.unwrap_or_default())
        }
        None => bail!("attempt {attempt} is still open"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_said_moves_no_cursor_at_the_console() {
        let told = line("why", &"web failed\x1b[2J\r\nended: committed\u{202e}\u{9b}1m");
        assert_eq!(told.as_str(), "why:       web failed ended: committed\\u{202e}1m");
        assert_eq!(line("confirmed", &"nothing yet").as_str(), "confirmed: nothing yet");
    }
}
