//! Pushes the closure and the agent to the machine. Nothing is activated here, and no profile set.

pub mod agent_program;
mod direct;
mod pushing;
pub mod stall;
mod through_agent;

use deploy_wire::{machine::Compress, store_path::StorePath};

use self::{
    agent_program::Agent,
    direct::Direct,
    pushing::Pushing,
    through_agent::{Carrier, Paths},
};
use super::{
    ask::Probed,
    build::{Built, Where},
    store::{left_behind, mark::Mark},
};
use crate::{
    error::{Failure, Result},
    report::{Event, Report, Stage},
    tools::{
        nix::{Nix, RemoteStore},
        place::Place,
        ssh::OnlyTheAgent,
    },
};

/// Pushes what the machine lacks. Nothing roots it yet; that is the agent's first step. The caller
/// clears the mark, which can take long and may run beside the next step.
pub async fn push<'p>(
    nix: &Nix,
    probed: &'p Probed,
    built: &Built,
    agent: &Agent,
    report: &Report,
) -> Result<Mark<'p>> {
    let machine = &probed.machine;
    let name = &machine.name;
    report.tell(Event::Stage { machine: name.clone(), stage: Stage::Push });
    let is_here = built.place == Where::Here;
    let toplevel = (is_here && machine.toplevel.is_some()).then_some(&built.toplevel);
    let profiles = built.profiles.iter().filter(|_| is_here);
    let mut paths: Vec<&StorePath> = toplevel.into_iter().chain(profiles).collect();
    let brought = match agent {
        Agent::Brought(path) => Some(path),
        Agent::Installed(_) => None,
    };
    if paths.is_empty() && brought.is_none() || matches!(probed.place, Place::Here) {
        return Ok(Mark::none());
    }
    let carrier = match brought {
        Some(_) if !paths.is_empty() => carrier(probed).await?,
        _ => None,
    };
    let lease = left_behind::begin(probed, report).await?;
    let pushing = Pushing { nix, probed, lease: &lease, from: None, report };
    let mark = match (carrier, brought) {
        (Some(carrier), Some(agent)) => {
            // The agent goes first, over Nix's own ssh: it carries the rest.
            if probed.facts.agent.as_ref() != Some(agent) {
                pushing.over_ssh(&[agent]).await?.clear(name, report).await?;
            }
            pushing.through_agent(carrier, agent, &paths).await?
        }
        (_, brought) => {
            paths.extend(brought);
            pushing.over_ssh(&paths).await?
        }
    };
    lease.finish();
    Ok(mark)
}

/// Copies what a builder built to the machine: straight from there, or else through this computer,
/// where nothing of it is stored. `None` if the agent cannot carry it; then it has to be fetched
/// first.
pub async fn from_builder(
    nix: &Nix,
    probed: &Probed,
    built: &Built,
    agent: &Agent,
    report: &Report,
) -> Result<Option<()>> {
    let Where::OnBuilder(host) = &built.place else { return Ok(None) };
    let name = &probed.machine.name;
    let through_here =
        |why| report.note(name, format!("what {host} built goes through this computer: {why}"));
    let Agent::Brought(agent) = agent else {
        through_here(OnlyTheAgent.to_string());
        return Ok(None);
    };
    report.tell(Event::Stage { machine: name.clone(), stage: Stage::Push });
    let lease = left_behind::begin(probed, report).await?;
    let here = Pushing { nix, probed, lease: &lease, from: None, report };
    if probed.facts.agent.as_ref() != Some(agent) {
        here.over_ssh(&[agent]).await?.clear(name, report).await?;
    }
    let outs = built.outs(&probed.machine);
    let direct = Direct { probed, lease: &lease, host, agent, report };
    let Err(why) = direct.push(&outs).await else {
        lease.finish();
        return Ok(Some(()));
    };
    through_here(why);
    let Some(carrier) = carrier(probed).await? else {
        lease.finish();
        return Ok(None);
    };
    let builder = RemoteStore::of_builder(host);
    let there = Pushing { from: Some(&builder), ..here };
    let mark = there.through_agent(carrier, agent, &outs).await?;
    lease.finish();
    mark.clear(name, report).await?;
    Ok(Some(()))
}

/// The other end of a compressed push; `None` for a push that is not compressed, or that the user's
/// ssh compresses already.
async fn carrier(probed: &Probed) -> Result<Option<Carrier>> {
    let compress = probed.machine.push.compress;
    if let (Compress::Auto, Some(login)) = (compress, probed.place.login())
        && login.is_compressed().await
    {
        return Ok(None);
    }
    make_carrier(compress, Paths::Delta)
}

fn make_carrier(compress: Compress, paths: Paths) -> Result<Option<Carrier>> {
    Carrier::new(compress, paths)
        .map_err(|error| Failure::unchanged("the push cannot be prepared").because(error))
}
