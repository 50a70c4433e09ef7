//! Logs in once and asks for the machine's facts. Nothing here changes the machine, and nothing
//! decides what will be done: the plan does.

mod again_by_hand;
mod early;
mod facts;
mod greeting;
#[cfg(test)]
pub mod here;
mod installed;
mod passwords;
mod reach;
pub mod sessions;
mod startup;
mod sudo;

pub use early::FirstLogin;
pub use facts::{Facts, ProfileFacts};
pub use greeting::MARKER;
pub use passwords::Passwords;
pub use startup::printed;

use std::time::{Duration, Instant};

use deploy_wire::{
    attempt::{self, Login, Mode},
    machine::Machine,
};

use crate::report::silence;
use crate::{
    error::{Failure, Result},
    outcome::Ending,
    report::{Event, Finished, Report, Stage},
    tools::{
        answer::Answer,
        limit::ANSWER,
        place::Place,
        ssh::{Diagnosis, Escalation, Greeted, Options, RootRefusal, SshError, Target},
    },
};

/// A machine that was asked.
pub struct Probed {
    /// The machine's description from the flake.
    pub machine: Machine,
    /// The facts that it reported.
    pub facts: Facts,
    /// Where the machine's commands run.
    pub place: Place,
    /// How its commands run as root.
    pub root: Escalation,
    /// The connection as the machine's sshd sees it.
    pub login: Option<Login>,
    /// The options of every login to it.
    pub options: Options,
    /// What start-up files print at every login, with their probable names.
    pub noise: Option<String>,
    /// The authentication method, by ssh's own name.
    pub authenticated: Option<String>,
}

impl Finished {
    /// A machine that has the wanted system. Without a record the running system is the baseline,
    /// and it is not confirmed.
    pub fn up_to_date(probed: &Probed) -> Self {
        let confirmed = probed.facts.is_confirmed();
        Self { ending: Ending::UpToDate, confirmed, ..Self::looked(probed, Vec::new()) }
    }

    /// A machine whose running system stays, with notes.
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
            profiles: probed.machine.other_profiles().iter().map(ToString::to_string).collect(),
            profiles_alone: probed.machine.toplevel.is_none(),
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
    /// The machine is this computer.
    Local,
}

/// Logs in and asks for the facts.
pub async fn ask(
    machine: Machine,
    way: Way,
    passwords: &mut Passwords,
    report: &Report,
) -> Result<Probed> {
    ask_first(machine, way, passwords, &mut FirstLogin::only_ordinary(), report).await
}

/// The same, over a login that may have begun already.
pub async fn ask_first(
    mut machine: Machine,
    way: Way,
    passwords: &mut Passwords,
    first: &mut FirstLogin,
    report: &Report,
) -> Result<Probed> {
    report.tell(Event::Stage { machine: machine.name.clone(), stage: Stage::Ask });
    let unfit = sudo::read(&mut machine);
    let script = greeting::script(&machine);
    let options = options(&machine, way, report).await?;
    let (place, greeted) = open(&machine, &options, way, &script, first, report).await?;
    let answer = Answer::read(&greeted.said);
    let noise = printed(&greeted.noise, answer.word("shell"));
    noise.iter().for_each(|noise| report.note(&machine.name, noise.clone()));
    let login = answer.word("login").and_then(attempt::Login::parse);
    let to_root = machine.sudo.as_ref();
    let command = to_root.map(|sudo| sudo.command.clone()).unwrap_or_default();
    let asks = to_root.is_some_and(|sudo| sudo.ask);
    let (root, facts) = match answer.word("root") {
        Some("uid0") => (Escalation::Root, answer.facts()),
        Some("free") => (Escalation::Free(command), answer.facts()),
        // Ask for a password only if it allows more than what is allowed without one.
        Some("agent") if !(asks && answer.word("more").is_some()) => {
            (Escalation::AgentAlone(command), installed::facts(&machine, &answer)?)
        }
        _ if asks && first.is_unattended => return Err(would_ask(&machine.name)),
        _ if asks => {
            sudo::refuse_unread_password(
                &machine,
                &command,
                answer.word("sudoSaid").unwrap_or_default(),
            )?;
            let root = Escalation::WithPassword(
                command,
                report.while_asking(passwords.of(&machine.name)).await?,
            );
            let facts = with_password(&machine, &place, &root).await?;
            (root, facts)
        }
        _ => {
            return Err(match unfit {
                Some(error) => sudo::unfit(&machine, error),
                None => no_root(&machine, &answer),
            });
        }
    };
    let facts = facts.ok_or_else(|| {
        Failure::unchanged(format!("cannot tell what {} is", machine.name))
            .because("the answer to the first questions was cut short")
    })?;
    let authenticated = greeted.authenticated;
    Ok(Probed { machine, facts, place, root, login, options, noise, authenticated })
}

/// The pause before a busy machine is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// Asks again over the same login, after a pause.
pub async fn again(probed: &mut Probed) -> Result<()> {
    tokio::time::sleep(PAUSE).await;
    let machine = &probed.machine;
    let script = match &probed.root {
        Escalation::AgentAlone(sudo) => Ok(greeting::script_for_agent_alone(machine, sudo)),
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

/// The options of `ssh`. They do not matter without a login.
async fn options(machine: &Machine, way: Way, report: &Report) -> Result<Options> {
    if way == Way::Local {
        return Ok(Options::default());
    }
    let (options, left_out) = Options::of(&machine.ssh.opts).await.map_err(|error| {
        Failure::unchanged(format!("cannot log in to {}", machine.name))
            .because(error)
            .hint(Some("options of ssh, with their values: -p 2222 -o 'Name=value'".into()))
    })?;
    left_out.into_iter().for_each(|line| report.note(&machine.name, line));
    Ok(options)
}

/// Tries the addresses in turn. It goes on to the next only if an address does not answer; a
/// refused key or a wrong host key is an error at once.
async fn open(
    machine: &Machine,
    options: &Options,
    way: Way,
    script: &str,
    first: &mut FirstLogin,
    report: &Report,
) -> Result<(Place, Greeted)> {
    let targets: Vec<_> = match way {
        Way::Ssh => Target::all_of(&machine.ssh, options).into_iter().map(Some).collect(),
        Way::Local => vec![None],
    };
    let mut failure = None;
    let tell = |line: &str| report.note(&machine.name, line);
    let begun = Instant::now();
    if let Some(early) = targets[0].as_ref().and_then(|target| first.take(target)) {
        let greeted = Place::greet(early, script, |_| {});
        let greeted = silence::announce(greeted, &machine.name, "the login", ANSWER, report).await;
        if let Ok((place, greeted)) = greeted {
            first.keep(&machine.ssh, &greeted, begun.elapsed());
            return Ok((place, greeted));
        }
    }
    if first.is_unattended {
        return Err(would_ask(&machine.name));
    }
    let begun = Instant::now();
    for (number, target) in targets.into_iter().enumerate() {
        let opened = Place::open(target.as_ref(), script, tell);
        match silence::announce(opened, &machine.name, "the login", ANSWER, report).await {
            Ok((place, greeted)) => {
                if number == 0 {
                    first.keep(&machine.ssh, &greeted, begun.elapsed());
                }
                return Ok((place, greeted));
            }
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

/// The login that asks nobody is not enough. Why does not matter: one follows that may ask.
fn would_ask(machine: &str) -> Box<Failure> {
    Failure::unchanged(format!("{machine} is not reached without asking anybody"))
}

fn is_unreachable(error: &SshError) -> bool {
    use Diagnosis::{NoAnswer, NoSuchHost, NothingListens, Silent, Unreachable};
    matches!(error.diagnosis, Unreachable | NoAnswer | NothingListens | NoSuchHost | Silent)
}

/// Asks with a password. It tries the password on its own first: after a wrong one, sudo would read
/// the script as its second try.
async fn with_password(
    machine: &Machine,
    place: &Place,
    root: &Escalation,
) -> Result<Option<Facts>> {
    let wrong = |error: SshError| {
        let hint = match RootRefusal::of(&error.said) {
            RootRefusal::WrongPassword => {
                format!("is it the password of {} there?", login_user(machine))
            }
            RootRefusal::NoSuchCommand | RootRefusal::Other => {
                format!("may {} use sudo there? --ssh-user names another user", login_user(machine))
            }
        };
        Failure::unchanged(format!("sudo on {} refuses", machine.name))
            .because(error)
            .hint(Some(hint))
    };
    let run = async |command: &str| {
        let script = root.wrap(command).map_err(|only| SshError::here(&only))?;
        place.run(&script, &root.stdin_prefix()).await
    };
    run("true").await.map_err(wrong)?;
    let said = run(&greeting::facts_as_word(machine)).await.map_err(wrong)?;
    Ok(Answer::read(&said).facts())
}

fn no_root(machine: &Machine, answer: &Answer) -> Box<Failure> {
    let user = login_user(machine);
    let what = format!("{user} cannot become root on {}", machine.name);
    let said = answer.word("sudoSaid").unwrap_or("sudo failed without a message");
    if RootRefusal::of(said) == RootRefusal::NoSuchCommand {
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
