//! Taking the machine for an attempt: first everything that can refuse, then the garbage collector
//! roots and the record. A refusal leaves nothing behind.

mod boot_partition;
mod closure;
mod commands;
mod in_place;
mod manifest;
mod others;
mod profiles;
mod refusal;
mod room;
mod secrets;
mod sops;

use anyhow::Result;
use deploy_wire::{
    attempt::Login,
    machine::{Check, Machine},
    message::{Refusal, RefusalKind, Stage},
    phase::Phase,
    record::{Record, Rules},
    sealed,
    store_path::StorePath,
};

pub use refusal::{StageError, failed, refuse};

use crate::{
    attempt::{
        agent::{Agent, program},
        arm,
        ledger::Happened,
        recover,
        transition::Event,
    },
    checks::secrets::{beside, of_secrets},
    clock,
    machine::{boot_places, look, roots, units::snapshot::Snapshot},
    storage::{events::Events, files},
    tools::{command, process::LeftBehind},
    trust::Trust,
};

pub fn stage(
    agent: &Agent,
    asked: &Stage,
    login: Option<Login>,
    trust: Trust,
) -> Result<Record, Refusal> {
    Ok(stage_or_fail(agent, asked, login, trust)?)
}

fn stage_or_fail(
    agent: &Agent,
    asked: &Stage,
    login: Option<Login>,
    trust: Trust,
) -> Result<Record, StageError> {
    let Some(_locked) = agent.ledger.lock_for_staging()? else {
        return Err(others::being_staged().into());
    };
    if let Some(open) = recover::recover(agent)?.filter(Record::is_open) {
        // `deploy` repeats the request because it lost the first reply.
        let again = open.phase == Phase::Staged
            && (&open.attempt, &open.wanted) == (&asked.attempt, &asked.wanted);
        return if again { Ok(open) } else { Err(others::busy(&open).into()) };
    }
    if agent.ledger.find(&asked.attempt)?.is_some() {
        let why = format!("attempt {} exists already", asked.attempt);
        return Err(refuse(RefusalKind::NotNow, why).into());
    }
    let profiles = profiles::changes(asked)?;
    let record = Record { profiles, ..draft(agent, asked, login)? };
    others::refuse_beside_others(agent, asked)?;
    room::refuse_full_store()?;
    if !record.profiles_alone {
        closure::refuse_unswitchable(asked)?;
        boot_partition::refuse_unfit_places(&asked.wanted)?;
    }
    // The roots come before the check that all paths are valid. Otherwise a path could be collected
    // between the check and its root:
    // `garbage-collected-once-the-closure-was-found-to-be-there-takes-nothing-of-it`.
    roots::drop_strays()?;
    let made = roots::make(
        &asked.attempt,
        &roots::RootTargets {
            old: &record.ran,
            new: &record.wanted,
            agent: &record.agent,
            boots: &record.boots,
            profiles: &record.profiles,
        },
    );
    let staged = made
        .map_err(StageError::Failed)
        .and_then(|()| look_and_write(agent, asked, &record, trust));
    if staged.is_err() {
        roots::drop_all(&asked.attempt)?;
    }
    staged.map(|()| record)
}

/// The checks that need the closure. Steps that change something come last.
fn look_and_write(
    agent: &Agent,
    asked: &Stage,
    record: &Record,
    trust: Trust,
) -> Result<(), StageError> {
    closure::refuse_incomplete(record)?;
    if trust == Trust::System {
        commands::refuse_foreign_commands(&asked.wanted, &asked.machine)?;
    }
    // The running system passed these checks when it was deployed.
    let untried = if record.profiles_alone {
        Vec::new()
    } else {
        closure::run_pre_switch_checks(asked)?;
        let untried = secrets::try_to_decrypt(&asked.machine)?;
        let not_known = sops::compare_recipients(&asked.wanted)?;
        before_activate(asked)?;
        untried.into_iter().chain(not_known).collect()
    };
    let snapshot = Snapshot::take(&agent.boot)?;
    // Nix registers paths as valid before they are on the disk. `deploy` has synced what it pushed,
    // but nobody has synced what the machine built for itself:
    // `a-power-cut-while-a-machine-deploys-to-itself-leaves-its-store-whole` proves it.
    files::sync_file_system("/nix/store")?;
    agent.ledger.begin(record, &snapshot)?;
    let events = Events::of(&record.attempt);
    untried.into_iter().chain(boot_places::note(record.mode)).for_each(|note| events.note(note));
    // The operator may disappear before starting the attempt.
    if let Err(error) = arm::start_timer(agent, record) {
        let why = format!("{error:#}");
        let happened = Happened::because(Event::Cancelled, why);
        agent.ledger.offer(record, &agent.boot, happened, |_| {})?;
        return Err(error.into());
    }
    Ok(())
}

fn draft(agent: &Agent, asked: &Stage, login: Option<Login>) -> Result<Record> {
    let machine = &asked.machine;
    // Keep the running agent. An installed agent may differ from the one in the request.
    let own = StorePath::containing(&program()?.to_string_lossy());
    let rules = Rules {
        units: machine.units.clone(),
        checks: checks(machine, &asked.wanted),
        confirm: machine.confirm.clone(),
        timeouts: machine.timeouts.clone(),
        rollback: machine.rollback.clone(),
        before_activate: machine.before_activate.clone(),
    };
    Ok(Record {
        version: sealed::VERSION,
        attempt: asked.attempt.clone(),
        machine: machine.name.clone(),
        operator: asked.operator.clone(),
        since: clock::wall(),
        mode: asked.mode,
        wanted: asked.wanted.clone(),
        ran: asked.expects.clone(),
        boots: look::boots(),
        profile: look::profile(),
        profiles: Vec::new(),
        profiles_alone: machine.toplevel.is_none(),
        agent: own.unwrap_or_else(|_| asked.agent.clone()),
        login,
        revision: machine.revision.clone(),
        deadline: rules.limit(Phase::Staged).map(clock::deadline_in),
        rules,
        boot: agent.boot.clone(),
        phase: Phase::Staged,
        why: None,
        confirmed_by: None,
        made_generation: None,
        rebooted: false,
        outcome: None,
    })
}

/// The declared checks, and one for each secret that the wanted system puts in place.
fn checks(machine: &Machine, wanted: &StorePath) -> Vec<Check> {
    if machine.toplevel.is_none() {
        return machine.checks.clone();
    }
    let of_agenix = of_secrets(&in_place::put_in_place(wanted, &machine.secrets));
    beside(&machine.checks, [of_agenix, sops::checks(wanted)].concat())
}

fn before_activate(asked: &Stage) -> Result<(), Refusal> {
    for before in &asked.machine.before_activate {
        let limit = std::time::Duration::from_secs(before.timeout);
        let said = match command::run(&before.argv, limit, LeftBehind::Stays) {
            Ok(ran) if ran.succeeded() => continue,
            Ok(ran) => ran.last_words().to_owned(),
            Err(error) => error.to_string(),
        };
        let why = format!("what {} wants done before the switch failed: {said}", before.service);
        return Err(refuse(RefusalKind::BeforeActivate, why));
    }
    Ok(())
}
