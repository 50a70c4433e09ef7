//! One login: what the machine is, what it runs and boots, whether it is free.

mod facts;
mod greeting;
mod installed;
mod reach;

pub use facts::{Answer, Facts};
pub use greeting::MARKER;

use std::time::Duration;

use deploy_wire::{
    attempt::{self, Login},
    machine::Machine,
    message::Mode,
};

use crate::{
    error::{Failure, Result},
    outcome::Ending,
    report::{Event, Finished, Report, Stage},
    tools::{
        place::Place,
        ssh::{Escalation, Password, SshError, Target},
        terminal::{self, Echo},
    },
};

/// A machine that was asked.
pub struct Probed {
    /// As the flake describes it.
    pub machine: Machine,
    /// What it said.
    pub facts: Facts,
    /// Where its commands run.
    pub place: Place,
    /// How they run as root.
    pub root: Escalation,
    /// The connection, as the machine sees it.
    pub login: Option<Login>,
}

impl Finished {
    /// A machine that has what is wanted.
    pub fn up_to_date(probed: &Probed) -> Self {
        Self { ending: Ending::UpToDate, confirmed: true, ..Self::looked(probed, Vec::new()) }
    }

    /// A machine that runs what it ran, and what there is to say of it.
    pub fn looked(probed: &Probed, notes: Vec<String>) -> Self {
        let facts = &probed.facts;
        Self {
            machine: probed.machine.name.clone(),
            ending: Ending::Looked,
            attempt: None,
            mode: Mode::Switch,
            confirmed: false,
            runs: facts.runs.as_ref().map(ToString::to_string),
            boots: Some(facts.boots.clone()),
            generation: facts.generation,
            notes,
            failure: None,
        }
    }
}

/// How a machine is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Over SSH.
    Ssh,
    /// It is this computer.
    Local,
}

/// The sudo password of this run: asked once, whatever the number of machines.
#[derive(Debug, Default)]
pub struct Passwords {
    asked: Option<Password>,
}

impl Passwords {
    async fn ask(&mut self, name: &str) -> Result<Password> {
        if let Some(password) = &self.asked {
            return Ok(password.clone());
        }
        let question = format!("sudo password on {name}:");
        let typed = terminal::ask(&question, Echo::Hidden).await.map_err(|error| {
            Failure::unchanged(format!("{name} wants a sudo password, and it cannot be asked for"))
                .because(match error.raw_os_error() {
                    // ENXIO: /dev/tty without a terminal behind it.
                    Some(6) => "there is no terminal to ask on".to_owned(),
                    _ => error.to_string(),
                })
                .hint(Some(
                    "run deploy on a terminal, or allow the user sudo without a password".into(),
                ))
        })?;
        let password = Password::new(typed);
        self.asked = Some(password.clone());
        Ok(password)
    }
}

/// Logs in and asks.
pub async fn ask(
    machine: Machine,
    way: Way,
    passwords: &mut Passwords,
    report: &Report,
) -> Result<Probed> {
    report.tell(Event::Stage { machine: machine.name.clone(), stage: Stage::Ask });
    let script = greeting::script(&machine);
    let (place, said) = open(&machine, way, &script, report).await?;
    let answer = Answer::read(&said);
    let login = answer.word("login").and_then(attempt::Login::parse);
    let sudo = machine.sudo.as_ref();
    let command = sudo.map(|sudo| sudo.command.clone()).unwrap_or_default();
    let asks = sudo.is_some_and(|sudo| sudo.ask);
    let (root, facts) = match answer.word("root") {
        Some("uid0") => (Escalation::Root, answer.facts()),
        Some("free") => (Escalation::Free(command), answer.facts()),
        // A password is asked for only where it opens more than what is open without one.
        Some("agent") if !(asks && answer.word("more").is_some()) => {
            (Escalation::AgentAlone(command), installed::facts(&machine, &answer)?)
        }
        _ if asks => {
            let root = Escalation::WithPassword(command, passwords.ask(&machine.name).await?);
            let facts = with_password(&machine, &place, &root).await?;
            (root, facts)
        }
        _ => return Err(no_root(&machine, &answer)),
    };
    let facts = facts.ok_or_else(|| {
        Failure::unchanged(format!("{} did not say what it is", machine.name))
            .because("the answer to the first questions was cut short")
    })?;
    Ok(Probed { machine, facts, place, root, login })
}

/// How long to wait before a busy machine is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// Asks again over the same login, after a pause.
pub async fn again(probed: &mut Probed) -> Result<()> {
    tokio::time::sleep(PAUSE).await;
    let machine = &probed.machine;
    let script = match &probed.root {
        Escalation::AgentAlone(sudo) => Ok(greeting::by_the_agent(machine, sudo)),
        root => root.wrap(&greeting::facts_as_word(machine)),
    };
    let lost = || Failure::unchanged(format!("{} stopped answering", machine.name));
    let script = script.map_err(|error| lost().because(error))?;
    let said = probed.place.run(&script, &probed.root.stdin_prefix()).await;
    let answer = Answer::read(&said.map_err(|error| lost().because(error))?);
    let facts = match probed.root {
        Escalation::AgentAlone(_) => installed::facts(machine, &answer)?,
        _ => answer.facts(),
    };
    probed.facts = facts.ok_or_else(lost)?;
    Ok(())
}

/// Tries the addresses in turn. Only an address that nothing answers at leads to
/// the next one: a refused key or a wrong host key is told at once.
async fn open(
    machine: &Machine,
    way: Way,
    script: &str,
    report: &Report,
) -> Result<(Place, String)> {
    let targets = match way {
        Way::Ssh => Target::all_of(&machine.ssh).into_iter().map(Some).collect(),
        Way::Local => vec![None],
    };
    let mut failure = None;
    for target in targets {
        let tell = |line: &str| report.note(&machine.name, line);
        match Place::open(target.as_ref(), script, tell).await {
            Ok(opened) => return Ok(opened),
            Err(error) => {
                let host = target.as_ref().map_or("localhost", |target| target.hostname.as_str());
                let login = target.as_ref().map_or_else(String::new, Target::user_at_host);
                let unreachable = is_unreachable(&error);
                failure = Some(
                    Failure::unchanged(format!("cannot log in to {}", machine.name))
                        .hint(error.hint(host, &login))
                        .because(error),
                );
                if !unreachable {
                    break;
                }
            }
        }
    }
    Err(failure.expect("a machine has one address at least"))
}

fn is_unreachable(error: &SshError) -> bool {
    use crate::tools::ssh::Diagnosis::{NoSuchHost, NothingListens, Unreachable};
    matches!(error.diagnosis, Unreachable | NothingListens | NoSuchHost)
}

/// Asks with a password, which is tried alone first: given to a wrong guess,
/// sudo would read on in the script for its second try.
async fn with_password(
    machine: &Machine,
    place: &Place,
    root: &Escalation,
) -> Result<Option<Facts>> {
    let wrong = |error: SshError| {
        let hint = if error.said.contains("incorrect password") {
            format!("is it the password of {} there?", login_user(machine))
        } else {
            format!("may {} use sudo there? --ssh-user names another user", login_user(machine))
        };
        Failure::unchanged(format!("sudo on {} refuses", machine.name))
            .because(error)
            .hint(Some(hint))
    };
    let run = async |command: &str| {
        let script = root.wrap(command).map_err(|only| SshError::from_stderr(&only.to_string()))?;
        place.run(&script, &root.stdin_prefix()).await
    };
    run("true").await.map_err(wrong)?;
    let said = run(&greeting::facts_as_word(machine)).await.map_err(wrong)?;
    Ok(Answer::read(&said).facts())
}

fn no_root(machine: &Machine, answer: &Answer) -> Box<Failure> {
    let user = login_user(machine);
    let what = format!("{user} cannot become root on {}", machine.name);
    let said = answer.word("sudoSaid").unwrap_or("sudo refused without a word");
    if said.ends_with("not found") {
        let command = machine.sudo.iter().flat_map(|sudo| sudo.command.first()).next();
        return Failure::unchanged(what)
            .because(format!("there is no `{}` there", command.map_or("sudo", String::as_str)))
            .hint(Some("--sudo, or `sudo` in the flake, names the command".into()));
    }
    let agent = answer.word("agentSaid").unwrap_or_default();
    Failure::unchanged(what).because(said).because(agent).hint(Some(
        "--ask-sudo-password asks for a password; or allow the user sudo without one".into(),
    ))
}

fn login_user(machine: &Machine) -> &str {
    machine.ssh.user.as_deref().unwrap_or("the login user")
}
