//! `lab`: the test hosts for people and scripts.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use deploy_lab::bench;
use deploy_lab::bench::case::{ALL, Case};
use deploy_lab::demo;
use deploy_lab::hosts::reexec::{self, Inside};
use deploy_lab::hosts::supervisor::Supervisor;
use deploy_lab::hosts::{BaseRoot, Lab, Nix, Places};
use deploy_lab::systems::{REAL, sets};
use deploy_lab::tables::{Document, fault_table, worlds};

/// Asks the inside of a lab to run this program's own command line.
const WORD: &str = "run";

/// Real hosts on one machine.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Makes what takes long: the hosts' root (about 90 s, once) and the prepared hosts.
    Prepare,
    /// Shows `deploy` on two hosts, in five acts.
    Demo {
        /// What is shown: `secrets`, from the first one to a running service. It needs the inputs
        /// folder.
        #[arg(value_parser = ["secrets"])]
        what: Option<String>,
    },
    /// Boots prepared hosts and runs a command beside them, or on one of them.
    Run {
        /// The prepared set that the hosts are copies of.
        #[arg(long, default_value = "pair")]
        set: String,
        /// A host to boot; can be given several times.
        #[arg(long, required = true)]
        host: Vec<String>,
        /// The host to run the command on; without it, beside the hosts, on their network.
        #[arg(long)]
        on: Option<String>,
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Measures `deploy` beside deploy-rs and `nix copy`, in turns, and prints the table. What
    /// was measured before stays in the table.
    Bench {
        /// How many labs for each case; in each of those that push little, five turns.
        #[arg(long, default_value_t = 3)]
        rounds: u32,
        /// Cases; without any, all of them.
        case: Vec<String>,
        /// For the inside of a lab: where the figures go.
        #[arg(long, hide = true)]
        into: Option<PathBuf>,
    },
    /// Measures pushes of what resembles what the machine has: Debian's packages and their updates.
    BenchPush {
        /// A folder with packages in `old` and in `new`.
        folder: PathBuf,
    },
    /// The fault table, from what the last runs of its scenarios have seen; prints it.
    Faults {
        /// Write docs/faults.md.
        #[arg(long, conflicts_with = "check")]
        write: bool,
        /// Fail where docs/faults.md says something else.
        #[arg(long)]
        check: bool,
        /// The table of deploy-rs, and docs/faults-deploy-rs.md.
        #[arg(long)]
        peer: bool,
    },
    /// The worlds, from what the last runs of the main story in them have seen; prints the page.
    Worlds {
        /// Write docs/where-it-works.md.
        #[arg(long, conflicts_with = "check")]
        write: bool,
        /// Fail where docs/where-it-works.md says something else.
        #[arg(long)]
        check: bool,
        /// Make the covering array anew and print it: cli/lab/src/tables/worlds/array.txt.
        #[arg(long, conflicts_with_all = ["write", "check"])]
        array: bool,
    },
    /// Runs a program of the hosts' root on this machine, in this folder, with a Nix store
    /// of its own: `lab nix -- nix build .#x`.
    Nix {
        /// One more folder for it to see.
        #[arg(long)]
        bind: Vec<PathBuf>,
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    match start() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<ExitCode> {
    if let Some(inside) = reexec::dispatch()? {
        return inside_lab(&inside);
    }
    match Arguments::parse().action {
        Action::Prepare => {
            for places in
                [Places::Debian, Places::Services, Places::Nixos, Places::OtherNix, Places::Vm]
            {
                BaseRoot::ensure_with(places)?;
            }
            for set in sets::ALL {
                match set.missing() {
                    None => set.ensure()?,
                    Some(why) => println!("skipped {}: {why}", set.name),
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Action::Faults { write, check, peer } => {
            show(&if peer { fault_table::peer::PAGE } else { fault_table::PAGE }, write, check)
        }
        Action::Worlds { array: true, .. } => {
            print!("{}", worlds::cover::make());
            Ok(ExitCode::SUCCESS)
        }
        Action::Worlds { write, check, .. } => show(&worlds::PAGE, write, check),
        Action::Demo { what: Some(_) } if REAL.missing().is_some() => {
            bail!("it needs real NixOS: {}", REAL.missing().unwrap_or_default())
        }
        Action::Run { .. } | Action::Demo { .. } => {
            let own: Vec<OsString> = std::env::args_os().skip(1).collect();
            Ok(code(in_new_lab(&own)?))
        }
        Action::Bench { rounds, case, .. } => bench_all(rounds, &case),
        Action::BenchPush { folder } => {
            let folder = folder.canonicalize()?;
            bench::pushes::check(&folder)?;
            Ok(code(in_new_lab(&["bench-push".into(), folder.into()])?))
        }
        Action::Nix { bind, command } => {
            let here = Nix::new(&std::env::current_dir()?)?;
            let nix = bind.iter().try_fold(here, |nix, folder| nix.bind(folder))?;
            Ok(code(nix.command(command)?.status().context("cannot start unshare")?))
        }
    }
}

fn show(page: &Document, write: bool, check: bool) -> Result<ExitCode> {
    match (write, check) {
        (true, _) => page.write()?,
        (_, true) => page.check()?,
        _ => print!("{}", page.text()?),
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs this program with these arguments inside of a new lab, to its end.
fn in_new_lab(own: &[OsString]) -> Result<ExitStatus> {
    BaseRoot::ensure()?;
    let words: Vec<&OsStr> =
        [OsStr::new(WORD)].into_iter().chain(own.iter().map(OsString::as_os_str)).collect();
    Supervisor::start(&words, |_| ())?.wait()
}

/// Runs each round of each case in a new lab, so that the hosts' stores are in their initial state.
fn bench_all(rounds: u32, names: &[String]) -> Result<ExitCode> {
    let cases = match names {
        [] => ALL.to_vec(),
        names => names.iter().map(|name| Case::named(name)).collect::<Result<_>>()?,
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("figures.jsonl");
    let rounds_of = |case: &Case| if case.pushes() { rounds } else { 1 };
    for case in &cases {
        for round in 0..rounds_of(case) {
            let round = round.to_string();
            let words = ["bench", "--rounds", &round, case.name, "--into"].map(OsString::from);
            let status = in_new_lab(&[&words[..], &[file.clone().into()]].concat())?;
            if !status.success() {
                bail!("{}: the figures of round {round} are missing", case.name);
            }
        }
    }
    println!("{}", bench::table::page(&bench::figure::read(&file)?));
    Ok(ExitCode::SUCCESS)
}

fn inside_lab(inside: &Inside) -> Result<ExitCode> {
    let mut lab = Lab::enter(inside)?;
    let (kind, own) = inside.words.split_first().context("no words")?;
    if kind == sets::WORD {
        let name = own.first().and_then(|name| name.to_str()).context("no set given")?;
        sets::make_and_save(&mut lab, name)?;
        return Ok(ExitCode::SUCCESS);
    }
    let words = [OsString::from("lab")].into_iter().chain(own.iter().cloned());
    let (set, host, on, command) = match Arguments::parse_from(words).action {
        Action::Run { set, host, on, command } => (set, host, on, command),
        Action::Demo { what } => {
            let mut out = std::io::stdout();
            match what {
                None => demo::play(&mut lab, &mut out, |_, _| Ok(()))?,
                Some(_) => drop(demo::secrets::play(&mut lab, &mut out)?),
            }
            return Ok(ExitCode::SUCCESS);
        }
        Action::Bench { rounds: round, case, into } => {
            let case = Case::named(case.first().context("no case")?)?;
            bench::run(&mut lab, case, round, &into.context("no file for the figures")?)?;
            return Ok(ExitCode::SUCCESS);
        }
        Action::BenchPush { folder } => {
            bench::pushes::run(&mut lab, &folder)?;
            return Ok(ExitCode::SUCCESS);
        }
        Action::Prepare | Action::Faults { .. } | Action::Worlds { .. } | Action::Nix { .. } => {
            bail!("that is not for the inside of a lab")
        }
    };
    let set = sets::named(&set)?;
    let hosts: Vec<_> = host.iter().map(|name| lab.prepared(&set, name)).collect::<Result<_>>()?;
    hosts.iter().try_for_each(|host| host.boot())?;
    hosts.iter().try_for_each(|host| host.wait_until_up())?;
    let Some(on) = on else {
        return Ok(code(Command::new(&command[0]).args(&command[1..]).status()?));
    };
    let host = hosts.iter().find(|host| host.name() == on);
    Ok(code(
        host.with_context(|| format!("{on} was not booted: add --host {on}"))?.attach(&command)?,
    ))
}

/// A killed program counts as failed.
fn code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}
