//! Asks a machine that no flake describes what it is. Nothing there is changed.

use deploy_wire::machine::Ssh;

use crate::{
    error::{Failure, Result},
    report::{Report, silence},
    tools::{
        answer::Answer,
        limit::ANSWER,
        place::Place,
        ssh::{Options, Target},
    },
};

/// What is asked.
const SCRIPT: &str = include_str!("survey.sh");

/// Logs in as the user's ssh does, and asks.
pub async fn of(ssh: &Ssh, report: &Report) -> Result<Answer> {
    let name = &ssh.hostname;
    let failed = || Failure::unchanged(format!("cannot log in to {name}"));
    let (options, _) = Options::of(&ssh.opts).await.map_err(|error| failed().because(error))?;
    let targets = Target::all_of(ssh, &options);
    let target = targets.first().ok_or_else(failed)?;
    let opened = Place::open(Some(target), SCRIPT, |line| report.note(name, line));
    match silence::announce(opened, name, "the login", ANSWER, report).await {
        Ok((_login, greeted)) => Ok(Answer::read(&greeted.said)),
        Err(error) => {
            let hint = error.hint(name, &target.user_at_host());
            Err(failed().hint(hint).because(error))
        }
    }
}
