//! The facts of a machine where sudo lets the user run only the installed agent.

use deploy_wire::{
    machine::Machine,
    message::{RefusalKind, Reply},
    store_path::StorePath,
};

use super::{Facts, Probed};
use crate::{
    error::{Failure, Result},
    tools::{
        agent::read_reply,
        answer::Answer,
        ssh::{Escalation, INSTALLED},
    },
};

impl Probed {
    /// The installed agent, if sudo allows no other.
    pub fn installed(&self) -> Option<&StorePath> {
        let is_alone = matches!(self.root, Escalation::AgentAlone(_));
        self.facts.installed.as_ref().filter(|_| is_alone)
    }
}

/// The facts that the user read, with those of the agent. `None` if the output is incomplete.
pub fn facts(machine: &Machine, answer: &Answer) -> Result<Option<Facts>> {
    let Some((facts, reply)) = answer.facts().zip(answer.word("reply")) else { return Ok(None) };
    if facts.installed.is_none() {
        return Err(unfit(machine).because(format!("{INSTALLED} does not lead into the store")));
    }
    match read_reply(reply) {
        Ok(Reply::Status(status)) => Ok(Some(facts.seen_by_root(*status))),
        Ok(Reply::Refused(refusal)) if refusal.kind == RefusalKind::Unreadable => {
            Err(unfit(machine).because(refusal.why))
        }
        // The agent cannot read a record. It says so again if the record matters.
        Ok(Reply::Refused(refusal)) => Ok(Some(facts.with_unread_records(&refusal.why))),
        Ok(_) => Err(unfit(machine).because(format!("unexpected reply: `{reply}`"))),
        Err(error) => Err(unfit(machine).because(error)),
    }
}

fn unfit(machine: &Machine) -> Box<Failure> {
    let name = &machine.name;
    Failure::unchanged(format!("the agent that is installed on {name} does not fit this deploy"))
        .hint(Some(
            "sudo lets this user run no other: deploy once as another user (--ssh-user) a system \
             that brings the agent of this release"
                .into(),
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(installed: &str, reply: &str) -> Result<Option<Facts>> {
        let path = "/nix/store/00000000000000000000000000000000-x";
        let machine = Machine::from_json(serde_json::json!({
            "version": 1, "name": "frame1", "system": "x86_64-linux",
            "toplevel": { "drv": format!("{path}.drv"), "out": path },
            "ssh": { "hostname": "frame1" },
        }));
        let text = format!("@reply {reply}\n@host frame1\n@installed {installed}\n@facts end\n");
        facts(&machine.unwrap(), &Answer::read(&text))
    }

    const AGENT: &str = "/nix/store/11111111111111111111111111111111-deploy-agent";

    #[test]
    fn what_root_sees_counts() {
        let status = include_str!("../../../../wire/golden/message/reply-status.json");
        let status: serde_json::Value = serde_json::from_str(status).unwrap();
        let seen = asked(&format!("{AGENT}/bin/deploy-agent"), &status.to_string());
        let seen = seen.unwrap().unwrap();
        assert_eq!(seen.installed.unwrap().as_str(), AGENT);
        assert!(seen.runs.is_some() && seen.confirmed.unwrap().is_some());
        assert_eq!(seen.host, "frame1");
    }

    #[test]
    fn an_agent_of_another_version_is_told_apart_from_a_damaged_record() {
        let refused = |kind: &str| {
            format!(r#"{{"version":1,"is":"refused","kind":"{kind}","why":"because"}}"#)
        };
        let old = asked(AGENT, &refused("unreadable")).unwrap_err();
        assert_eq!(old.causes, ["because"]);
        assert!(old.hint.unwrap().contains("--ssh-user"));
        let damaged = asked(AGENT, &refused("failed")).unwrap().unwrap();
        assert_eq!(damaged.attempt, Err("because".to_owned()));
        assert!(asked(AGENT, "{}").unwrap_err().causes[0].contains("unexpected reply"));
        assert!(asked("/usr/bin/deploy-agent", &refused("failed")).is_err());
    }
}
