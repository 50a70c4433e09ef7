//! What a person at the machine's console can ask, as root.

use anyhow::{Result, bail};
use deploy_wire::{attempt::AttemptId, outcome::End, record::Record};

use crate::{
    agent::Agent,
    confirmation::{self, Taken},
    ledger::Ledger,
    look, recover,
};

/// Prints what runs, what boots and the last attempt. Of a damaged record the rest is told
/// all the same.
pub fn status() -> Result<()> {
    let attempt = recovered();
    print_systems();
    match Ledger::open().confirmed() {
        Ok(Some(confirmed)) => println!("confirmed: {}", confirmed.toplevel),
        Ok(None) => println!("confirmed: nothing yet"),
        Err(error) => println!("confirmed: not known ({error:#})"),
    }
    match attempt {
        Ok(None) => println!("attempt:   none yet"),
        Ok(Some(record)) => print_attempt(&record),
        Err(error) => return Err(error.context("nothing is known of the last attempt")),
    }
    Ok(())
}

/// Finishes an attempt that a power cut left open. What it cannot read it leaves alone: the
/// machine has booted its boot default, and says so.
pub fn boot() -> Result<()> {
    let attempt = recovered().inspect_err(|_| print_systems())?;
    if let Some(record) = attempt {
        print_attempt(&record);
    }
    Ok(())
}

fn recovered() -> Result<Option<Record>> {
    recover::recover(&Agent::open()?)
}

fn print_systems() {
    match look::running() {
        Some(running) => println!("runs:      {running}"),
        None => println!("runs:      not known"),
    }
    println!("boots:     {}", look::boots());
}

fn print_attempt(record: &Record) {
    println!("attempt:   {} ({})", record.attempt, record.phase);
    if let Some(outcome) = &record.outcome {
        println!("ended:     {}", outcome.end);
        if let Some(why) = &outcome.why {
            println!("why:       {why}");
        }
        for note in &outcome.notes {
            println!("note:      {note}");
        }
    }
}

/// Confirms an attempt from the console, for a machine without a network.
pub fn confirm(attempt: &AttemptId) -> Result<()> {
    let agent = Agent::open()?;
    let Some(record) = agent.ledger.find(attempt)? else {
        bail!("this machine knows no attempt {attempt}");
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
