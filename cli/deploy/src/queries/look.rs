//! Sends a request to an agent that is on the machine, without an attempt.

use deploy_wire::{
    message::{Reply, Request},
    store_path::StorePath,
};

use crate::stages::ask::Probed;
use crate::{
    error::{Failure, Result},
    tools::{
        agent::Conversation,
        limit::{ANSWER, within},
    },
};

/// All replies to a request, up to the last.
pub async fn ask(probed: &Probed, agent: &StorePath, request: Request) -> Result<Vec<Reply>> {
    let name = &probed.machine.name;
    let failed = || Failure::unchanged(format!("the agent on {name} does not answer"));
    let running = probed
        .place
        .spawn(&probed.serve(agent.as_str()))
        .await
        .map_err(|error| failed().because(error))?;
    let mut rest = running.rest;
    let prefix = probed.root.stdin_prefix();
    let talked = async {
        let login = probed.login.clone();
        let mut talk = Conversation::begin(running.stdout, running.stdin, login, &prefix).await?;
        talk.ask(request).await?;
        let mut replies = Vec::new();
        loop {
            let reply = within(ANSWER, talk.next()).await??;
            let is_last = !matches!(reply, Reply::Log { .. } | Reply::Event { .. });
            replies.push(reply);
            talk.refuse_overflow()?;
            if is_last {
                return Ok::<_, crate::tools::agent::AgentError>(replies);
            }
        }
    };
    match talked.await {
        Ok(replies) => Ok(replies),
        Err(error) => {
            let said = rest.stderr().await;
            Err(failed().because(error).because(said.trim()))
        }
    }
}
