//! What a builder built goes straight from there to the machine. The operator stands for it: the
//! builder gets a key for one login, and the agent accepts with it the paths of a list, once, as
//! long as this conversation lasts. Neither side gets anything else of the other, or of the
//! operator.

mod builder;
mod key;
mod listing;

use std::time::Duration;

use deploy_wire::{
    builder_push::BuilderPush,
    message::{Reply, Request},
    store_path::StorePath,
};
use tokio::sync::Notify;

use self::{
    builder::{Builder, LISTS},
    key::OneTimeKey,
};
use super::{pushing::Pace, stall};
use crate::{
    report::{Event, Report, silence},
    stages::ask::Probed,
    tools::{
        agent::{AgentError, Conversation},
        lease::Lease,
        limit::{ANSWER, within},
        nix::{Substitute, log::Progress},
        place::Running,
        ssh::{Escalation, OnlyTheAgent, without_password},
    },
};

/// How long the machine may take to sync its store.
const STORE: Duration = Duration::from_secs(1800);

/// A push from a builder to the machine.
pub struct Direct<'r> {
    pub probed: &'r Probed,
    pub lease: &'r Lease,
    /// The builder, as Nix names it.
    pub host: &'r str,
    /// The agent, which is in the machine's store.
    pub agent: &'r StorePath,
    pub report: &'r Report,
}

impl Direct<'_> {
    /// Pushes the closures of `outs`. When this returns they are on the machine's disk. The error
    /// says why they did not go this way, all or in part.
    pub async fn push(&self, outs: &[&StorePath]) -> Result<(), String> {
        let Self { probed, lease, host, agent, report } = self;
        let machine = &probed.machine;
        let name = &machine.name;
        let as_root = as_root(&probed.root)?;
        let login = probed.place.login().ok_or("it is this computer")?;
        let route = login.route().await?;
        let substitute =
            if machine.push.substitute { Substitute::First } else { Substitute::Never };
        let mut builder = Builder::begin(host, outs, substitute).await?;
        let key = OneTimeKey::new()?;
        let running = probed.place.spawn(&probed.serve(agent.as_str())).await;
        let Running { stdout, stdin, rest: _rest } = running.map_err(|error| error.to_string())?;
        let told = |error: AgentError| error.to_string();
        let prefix = probed.root.stdin_prefix();
        let mut talk = Conversation::begin(stdout, stdin, probed.login.clone(), &prefix)
            .await
            .map_err(told)?;
        // The builder lists while the agent starts.
        let paths = silence::announce(builder.listed(), name, host, LISTS, report).await?;
        let push = BuilderPush {
            word: lease.word().to_owned(),
            key: key.public.clone(),
            user: route.user.clone(),
            as_root,
            paths,
        };
        let request = Request::AcceptBuilder(Box::new(push));
        talk.ask(request).await.map_err(told)?;
        let answer = async { within(ANSWER, talk.next()).await? };
        let host_keys = match silence::announce(answer, name, "the agent", ANSWER, report).await {
            Ok(Reply::AcceptsBuilder { host_keys }) => host_keys,
            Ok(other) => return Err(refusal(other)),
            Err(error) => return Err(told(error)),
        };
        builder.may_send(&route, &key, &host_keys).await?;
        drop(key);
        report.note(name, format!("{host} sends what it built straight to {name}"));
        self.sent(&mut builder).await?;
        talk.ask(Request::AwaitBuilder).await.map_err(told)?;
        let answer = async { within(STORE, talk.next()).await? };
        match silence::announce(answer, name, "its store", STORE, report).await {
            Ok(Reply::Done) => Ok(()),
            Ok(other) => Err(refusal(other)),
            Err(error) => Err(told(error)),
        }
    }

    async fn sent(&self, builder: &mut Builder) -> Result<(), String> {
        let Self { probed, lease, report, .. } = self;
        let mut pace = Pace::default();
        let tell = |progress: Progress| {
            let machine = probed.machine.name.clone();
            match progress {
                Progress::Log(text) => report.note(&machine, text),
                progress if pace.is_due(&progress) => {
                    report.tell(Event::Push { machine, progress, carried: None });
                }
                _ => {}
            }
        };
        let moves = Notify::new();
        let sent = builder.sends(|| moves.notify_one(), tell);
        stall::watch_for_stalls(sent, &moves, probed, lease, report).await
    }
}

/// The words before a command of the login user that make them root. The builder's login has nobody
/// who could type a password.
fn as_root(root: &Escalation) -> Result<Vec<String>, String> {
    match root {
        Escalation::Root => Ok(Vec::new()),
        Escalation::Free(sudo) => {
            Ok(without_password(sudo, "").split_whitespace().map(str::to_owned).collect())
        }
        Escalation::WithPassword(..) => Err("sudo asks for a password there".to_owned()),
        Escalation::AgentAlone(_) => Err(OnlyTheAgent.to_string()),
    }
}

fn refusal(reply: Reply) -> String {
    match reply {
        Reply::Refused(refusal) => refusal.why,
        other => format!("unexpected reply from its agent: {other:?}"),
    }
}
