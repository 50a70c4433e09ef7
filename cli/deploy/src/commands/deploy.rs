//! `deploy [MACHINE…]`, and what it shares with `push` and `rollback`.

use std::{io::IsTerminal, path::PathBuf};

use deploy_wire::{attempt::Mode, machine::Machine};
use serde_json::json;
use tokio::task::LocalSet;

use super::{evaluate::machines_and_early, vm::rehearse::rehearse};
use crate::{
    args::{AttemptArgs, ChangeArgs, DeployArgs, DeployRs},
    error::{Failure, Result},
    outcome::{self, Ending, exit_code},
    pipeline::{Ahead, BeforeSwitch, Goal, Run, Stopped, WhenBusy},
    question::{self, NotAgreed},
    report::{Detail, Event, Format, Report},
    stages::{
        ask::{FirstLogin, Way},
        confirm::interrupted,
        flake::{self, Aim, Selection},
        fleet::{self, Fleet, overrides::Overrides, source::absolute},
        plan::{AcceptedName, no_way_back::NoWayBack},
    },
    tools::{nix::Nix, terminal::Interrupts},
};

/// The work of a command that changes machines.
pub struct Order {
    /// The machines, as the command line names them.
    pub words: Vec<String>,
    /// Whether the question before the first change is answered with yes.
    pub yes: bool,
    /// The format and the amount of output.
    pub shown: (Format, Detail),
    /// Whether to print how long each part took.
    pub timings: bool,
    /// Values that take precedence over the flake's.
    pub overrides: Overrides,
    /// How the machines are reached.
    pub way: Way,
    /// The name that the operator accepts.
    pub accepted: AcceptedName,
    /// Whether to run the flake's own checks first.
    pub checks: bool,
    /// Whether to try each machine's system as its virtual machine first.
    pub rehearse: bool,
    /// The agent's program that the command line names.
    pub agent: Option<PathBuf>,
    /// What to do with each machine.
    pub goal: Goal,
    /// How far attempts go.
    pub mode: Mode,
    /// Whether to ask before each switch.
    pub before_switch: BeforeSwitch,
    /// What to do when another attempt has the machine.
    pub when_busy: WhenBusy,
}

/// Runs `deploy` without a command's name; returns the exit code.
pub async fn run(args: &DeployArgs) -> u8 {
    let DeployArgs {
        change,
        place,
        checks,
        profile_user,
        dry_activate,
        rehearse,
        attempt,
        rules,
        deploy_rs,
    } = args;
    let AttemptArgs { boot: _, test: _, interactive, wait } = attempt;
    let overrides = rules.overrides(place.overrides(change.overrides()));
    let goal = if *dry_activate { Goal::DryActivated } else { Goal::Flake };
    let order = Order {
        overrides: Overrides { profile_user: profile_user.clone(), ..overrides },
        checks: *checks,
        rehearse: *rehearse,
        mode: attempt.mode(),
        before_switch: BeforeSwitch::of(*interactive),
        when_busy: WhenBusy::of(*wait),
        ..Order::of(change, goal)
    };
    order.carry_out(Some(deploy_rs)).await
}

impl Order {
    /// The work that these flags ask for: a switch, without the flake's checks, without a question
    /// before it, and without waiting for another attempt.
    pub fn of(change: &ChangeArgs, goal: Goal) -> Self {
        let ChangeArgs { machines, asking, showing, timings, reach, identity, push } = change;
        Self {
            words: machines.words(),
            yes: asking.yes,
            shown: showing.report(),
            timings: *timings,
            overrides: change.overrides(),
            way: reach.way(),
            accepted: identity.accepted(),
            checks: false,
            rehearse: false,
            agent: push.agent.clone(),
            goal,
            mode: Mode::Switch,
            before_switch: BeforeSwitch::GoOn,
            when_busy: WhenBusy::Refuse,
        }
    }

    /// Deploys the machines; returns the exit code.
    pub async fn carry_out(self, deploy_rs: Option<&DeployRs>) -> u8 {
        let report = Report::new(self.shown.0, self.shown.1);
        let report = if self.timings { report.with_timings() } else { report };
        let machines = LocalSet::new();
        let (machines, code) =
            machines.run_until(Box::pin(self.deploy_all(deploy_rs, &report))).await;
        report.tell(Event::Ended { machines, code });
        code
    }

    /// How each attempted machine ended, and the exit code.
    async fn deploy_all(
        self,
        deploy_rs: Option<&DeployRs>,
        report: &Report,
    ) -> (Vec<(String, Ending)>, u8) {
        let nothing = |failure, code| {
            report.tell(Event::Failed(failure));
            (Vec::new(), code)
        };
        for text in deploy_rs.map(DeployRs::notes).into_iter().flatten() {
            report.tell(Event::Warning { machine: None, text });
        }
        let selection = match self.select(deploy_rs) {
            Ok(selection) => selection,
            Err(failure) => return nothing(failure, outcome::USAGE),
        };
        let mut interrupts = match Interrupts::listen() {
            Ok(interrupts) => interrupts,
            Err(error) => {
                let failure = Failure::unchanged("cannot listen for Ctrl-C").because(error);
                return nothing(failure, exit_code(&[Ending::Unchanged]));
            }
        };
        let ahead = self.ahead();
        let choosing = async {
            let (chosen, login) =
                tokio::join!(self.choose(&selection, &ahead, report), self.first_login(&selection));
            chosen.map(|(nix, fleet)| (nix, fleet, login))
        };
        let (nix, mut fleet, login) = match interrupts.unless_interrupted(choosing).await {
            Some(Ok(found)) => found,
            Some(Err(failure)) => return nothing(failure, exit_code(&[Ending::Unchanged])),
            None => return nothing(interrupted::before_all(), outcome::INTERRUPTED),
        };
        if self.rehearse {
            let (flake, machines) = (&selection.flake, &fleet.machines);
            match rehearse(flake, machines, &self.overrides, &mut interrupts, report).await {
                Some(Ok(())) => {}
                Some(Err(failure)) => return nothing(failure, exit_code(&[Ending::Unchanged])),
                None => return nothing(interrupted::before_all(), outcome::INTERRUPTED),
            }
        }
        let what = match self.mode {
            Mode::Boot => Some("--boot"),
            Mode::Test => Some("--test"),
            Mode::Switch => (self.goal == Goal::DryActivated).then_some("--dry-activate"),
        };
        match what.map_or(Ok(Vec::new()), |what| fleet::systems_alone(&mut fleet.machines, what)) {
            Ok(lines) => {
                for text in lines {
                    report.tell(Event::Warning { machine: None, text });
                }
            }
            Err(failure) => return nothing(failure, exit_code(&[Ending::Unchanged])),
        }
        let run = Run {
            nix,
            report,
            way: self.way,
            goal: self.goal,
            mode: self.mode,
            accepted: self.accepted,
            agent: self.agent,
            when_busy: self.when_busy,
            before_switch: self.before_switch,
            no_way_back: if self.yes { NoWayBack::GoOn } else { NoWayBack::Ask },
            ahead,
        };
        let ended = run.deploy(fleet.machines, login, &mut interrupts).await;
        let failed = fleet.failed.into_iter().map(|name| (name, Ending::Unchanged));
        let machines: Vec<(String, Ending)> = ended.machines.into_iter().chain(failed).collect();
        let endings: Vec<Ending> = machines.iter().map(|(_, ending)| *ending).collect();
        let code = match ended.stopped {
            Stopped::No => exit_code(&endings),
            Stopped::ByOperator => outcome::interrupted_code(&endings),
        };
        (machines, code)
    }

    /// Whether a machine may be logged in to as soon as it is known: nothing else comes first, and
    /// the operator is not asked something before.
    fn may_begin_early(&self, selection: &Selection) -> bool {
        let asks_first = selection.names.is_none() && !self.yes;
        !(asks_first || self.checks || self.rehearse || self.way == Way::Local)
    }

    /// What is done for machines before their turn.
    fn ahead(&self) -> Ahead {
        match (self.way, self.goal) {
            (Way::Ssh, Goal::Flake | Goal::Pushed) => {
                Ahead::pushing(self.mode, self.accepted.clone(), self.agent.clone())
            }
            _ => Ahead::nothing(),
        }
    }

    /// Begins the login to the first machine that the last run named.
    async fn first_login(&self, selection: &Selection) -> FirstLogin {
        if !self.may_begin_early(selection) {
            return FirstLogin::only_ordinary();
        }
        let Selection { flake, names, aim: _ } = selection;
        let flake = absolute(flake);
        let names = names.iter().flatten().map(ToString::to_string).collect::<Vec<_>>();
        FirstLogin::begin(&json!([flake, names, format!("{:?}", self.overrides)])).await
    }

    /// The selected machines. Deploying all of them needs a confirmation on the terminal, so a
    /// missing terminal is reported before the evaluation.
    fn select(&self, deploy_rs: Option<&DeployRs>) -> Result<Selection> {
        if let Some(file) = deploy_rs.and_then(|flags| flags.file.as_ref()) {
            return Err(Failure::unchanged(format!("{} is not deployed from", file.display()))
                .because("deploy reads flakes, and no other files")
                .hint(Some("name the flake: deploy path/to/flake#machine".into())));
        }
        let aim = if matches!(self.goal, Goal::Generation(_)) { Aim::GoBack } else { Aim::Deploy };
        let selection = flake::select(&self.words)?.aimed_at(aim);
        if selection.names.is_none() && !self.yes && !std::io::stdin().is_terminal() {
            return Err(Failure::unchanged(
                "no machine was named, and there is no terminal to ask on whether all are meant",
            )
            .hint(Some("name the machines, or say --yes".into())));
        }
        if self.before_switch == BeforeSwitch::Ask && !std::io::stdin().is_terminal() {
            return Err(Failure::unchanged("there is no terminal to ask on before each switch")
                .hint(Some("leave --interactive out, or run deploy on a terminal".into())));
        }
        Ok(selection)
    }

    /// The machines of this run. If the command line names none, the operator must first agree to
    /// deploy all.
    async fn choose(
        &self,
        selection: &Selection,
        ahead: &Ahead,
        report: &Report,
    ) -> Result<(Nix, Fleet)> {
        let early = |nix: &Nix, machine| {
            if self.may_begin_early(selection) {
                ahead.begin(nix, &machine);
            }
        };
        let (nix, fleet) = machines_and_early(selection, &self.overrides, early, report).await?;
        if self.checks {
            fleet::check(&nix, selection, report).await?;
        }
        if selection.names.is_none() && !self.yes {
            ask_for_machines(&fleet.machines, report)
                .await
                .map_err(|not| Failure::unchanged("no machine was deployed to").because(not))?;
        }
        Ok((nix, fleet))
    }
}

async fn ask_for_machines(
    machines: &[Machine],
    report: &Report,
) -> std::result::Result<(), NotAgreed> {
    let shown = |machine: &Machine| (machine.name.clone(), machine.ssh.hostname.clone());
    report.tell(Event::Machines { machines: machines.iter().map(shown).collect() });
    let one = machines.len() == 1;
    let question = if one { "deploy to it?" } else { "deploy to all of them?" };
    report.while_asking(question::ask_yes_or_no(question)).await
}
