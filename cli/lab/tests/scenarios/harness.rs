//! The runner of scenarios. It starts this test's own program file inside of a new lab for each
//! scenario.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use deploy_lab::hosts::reexec::{self, Inside};
use deploy_lab::hosts::supervisor::Supervisor;
use deploy_lab::hosts::{BaseRoot, Lab, Places};
use deploy_lab::systems::{Lane, sets};
use deploy_lab::tables::fault_table::{Fault, Phase, peer};
use libtest_mimic::{Arguments, Failed, Trial};

use crate::soak;

/// The argument that makes the inside of a lab run a scenario; the scenario's name follows.
const WORD: &str = "scenario";

/// The default limit of a scenario. After it the lab is ended.
const DEADLINE: Duration = Duration::from_secs(600);

/// How many lines of each host's console and journal a failure shows.
const LAST_WORDS: usize = 60;

/// A test on real hosts. Its name is a sentence that states the expected result.
#[derive(Clone)]
pub struct Scenario {
    name: Cow<'static, str>,
    run: Run,
    missing: fn() -> Option<String>,
    programs: Places,
    deadline: Duration,
}

/// The body of a scenario.
#[derive(Clone, Copy)]
enum Run {
    Function(fn(&mut Lab) -> Result<()>),
    /// A cell of the fault table.
    Cell(Lane, Fault, Phase),
    /// A cell of deploy-rs's fault table.
    PeerCell(peer::Row, peer::Phase),
    /// The main story in the world with this number.
    World(usize),
}

impl Scenario {
    pub const fn new(name: &'static str, run: fn(&mut Lab) -> Result<()>) -> Self {
        Self::named(Cow::Borrowed(name), Run::Function(run))
    }

    /// A cell of the fault table.
    pub fn cell(name: String, lane: Lane, fault: Fault, phase: Phase) -> Self {
        Self::named(Cow::Owned(name), Run::Cell(lane, fault, phase))
    }

    const fn named(name: Cow<'static, str>, run: Run) -> Self {
        Self { name, run, missing: || None, programs: Places::Debian, deadline: DEADLINE }
    }

    /// Sets the limit.
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// A cell of deploy-rs's fault table.
    pub fn peer_cell(name: String, row: peer::Row, phase: peer::Phase) -> Self {
        Self::named(Cow::Owned(name), Run::PeerCell(row, phase))
    }

    /// The main story in a world.
    pub fn world(name: String, number: usize) -> Self {
        Self::named(Cow::Owned(name), Run::World(number))
    }

    /// Sets the programs of the hosts. Their root is created before the lab starts, while Debian's
    /// mirror can be reached.
    pub const fn with_programs(mut self, programs: Places) -> Self {
        self.programs = programs;
        self
    }

    fn run(&self, lab: &mut Lab) -> Result<()> {
        match self.run {
            Run::Function(run) => run(lab),
            Run::Cell(lane, fault, phase) => crate::table::run(lab, lane, fault, phase),
            Run::PeerCell(row, phase) => crate::table::peer::run(lab, row, phase),
            Run::World(number) => crate::worlds::run(lab, number),
        }
    }

    /// Skips the scenario if `missing` returns a reason, which is printed.
    pub const fn unless(mut self, missing: fn() -> Option<String>) -> Self {
        self.missing = missing;
        self
    }
}

pub fn main(scenarios: &[Scenario]) -> ExitCode {
    match dispatch(scenarios) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(scenarios: &[Scenario]) -> Result<ExitCode> {
    if let Some(inside) = reexec::dispatch()? {
        return inside_lab(scenarios, &inside);
    }
    let mut arguments = Arguments::from_args();
    // Scenarios mostly wait: eight of them keep two processors busy.
    arguments.test_threads.get_or_insert(8);
    if !arguments.list {
        BaseRoot::ensure()?;
    }
    let all = arguments.include_ignored || arguments.ignored || arguments.exact;
    let trials = spread(scenarios).into_iter().filter_map(|scenario| {
        let left = if all { None } else { soak::left(&scenario.name) };
        let missing = (scenario.missing)();
        match (&missing, left) {
            (_, Some(why)) => println!("left to scripts/soak: {}: {why}", scenario.name),
            (Some(why), None) => println!("skipped {}: {why}", scenario.name),
            (None, None) => {}
        }
        // A scenario whose needs are missing stays skipped even if all ignored tests are requested.
        if missing.is_some() && arguments.include_ignored {
            return None;
        }
        let (name, programs) = (scenario.name.clone().into_owned(), scenario.programs);
        let deadline = scenario.deadline;
        let title = name.clone();
        let run = move || {
            let begun = Instant::now();
            BaseRoot::ensure_with(programs)?;
            let (ended, used) = start(&name, deadline)?;
            let (took, used) = (begun.elapsed().as_secs(), used.as_secs());
            println!("{took} s, {used} s of processor: {name}");
            ended
        };
        let trial =
            Trial::test(title, move || run().map_err(|error| Failed::from(format!("{error:#}"))));
        Some(trial.with_ignored_flag(missing.is_some() || left.is_some()))
    });
    Ok(libtest_mimic::run(&arguments, trials.collect()).exit_code())
}

/// Spreads the scenarios that mostly wait among the first half of the others. Many of them at once
/// would leave the processors idle, and one of them at the end would leave all threads but one
/// idle.
fn spread(scenarios: &[Scenario]) -> Vec<&Scenario> {
    let (waiting, working): (Vec<&Scenario>, Vec<&Scenario>) =
        scenarios.iter().partition(|scenario| soak::is_waiting(&scenario.name));
    let between = (working.len() / 2 / waiting.len().max(1)).max(1);
    let mut waiting = waiting.into_iter();
    let mut order = Vec::with_capacity(scenarios.len());
    for (at, scenario) in working.into_iter().enumerate() {
        if at % between == 0 {
            order.extend(waiting.next());
        }
        order.push(scenario);
    }
    order.extend(waiting);
    order
}

/// The beginning of a line that is shown of a scenario that passes.
pub const MEASURED: &str = "measured: ";

/// Runs a scenario and returns its result and its processor time. The output of one that passes is
/// left out, except what it has measured.
fn start(name: &str, deadline: Duration) -> Result<(Result<()>, Duration)> {
    // A file without a name, so that nothing is left if this process is killed.
    let mut output = tempfile::tempfile()?;
    let (out, err): (File, File) = (output.try_clone()?, output.try_clone()?);
    let mut lab =
        Supervisor::start(&[OsStr::new(WORD), OsStr::new(name)], |command: &mut Command| {
            command.stdout(out).stderr(err);
        })?;
    let status = lab.wait_within(deadline)?;
    let used = lab.processor_time()?;
    drop(lab);
    let mut said = Vec::new();
    output.rewind()?;
    output.read_to_end(&mut said)?;
    let text = String::from_utf8_lossy(&said).into_owned();
    let ended = match status {
        Some(status) if status.success() => {
            text.lines()
                .filter(|line| line.starts_with(MEASURED))
                .for_each(|line| println!("{line}"));
            Ok(())
        }
        Some(status) => Err(anyhow!("{text}\n({status})")),
        None => Err(anyhow!("{text}\n(did not end within {deadline:?})")),
    };
    Ok((ended, used))
}

fn inside_lab(scenarios: &[Scenario], inside: &Inside) -> Result<ExitCode> {
    let mut words = inside.words.iter().filter_map(|word| word.to_str());
    let (Some(kind), Some(name)) = (words.next(), words.next()) else { bail!("no words") };
    let mut lab = Lab::enter(inside)?;
    if kind == sets::WORD {
        sets::make_and_save(&mut lab, name)?;
        return Ok(ExitCode::SUCCESS);
    }
    let scenario = scenarios
        .iter()
        .find(|scenario| scenario.name == name)
        .with_context(|| format!("no scenario {name}"))?;
    let Err(error) = scenario.run(&mut lab) else { return Ok(ExitCode::SUCCESS) };
    eprintln!("{error:#}\n{}", lab.last_words(LAST_WORDS));
    Ok(ExitCode::FAILURE)
}
