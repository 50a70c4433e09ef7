//! `deploy install`: a machine on a computer that runs the installer, in this order. Nothing is
//! written before the computer fits, and no disk before everything is built.
//!
//! look -> key -> ask -> keys file -> build -> disks -> system -> restart -> confirm

mod after;
mod build;
mod carry_out;
mod kexec;
mod key;
mod look;
mod show;

use after::confirm;
use carry_out::install;
use kexec::become_installer;
use look::Looked;

use crate::{
    args::InstallArgs,
    error::{Failure, Result, State},
    install::lock::{InstallLock, NotLocked},
    outcome::{CHANGED, Ending, INTERRUPTED, USAGE, exit_code},
    question::{self, NotAgreed},
    report::{Event, Report},
    tools::terminal::Interrupts,
};

/// Installs it. Exit codes: 0, it is installed and confirmed; 1, nothing was changed; 2, the command
/// line is wrong, or there is no terminal to ask on; 4, it is installed, and its state is known; 5, its
/// disks are not whole, or it was not seen again; 130, interrupted before anything was changed.
pub async fn run(args: &InstallArgs) -> u8 {
    let (format, detail) = args.showing.report();
    let report = Report::new(format, detail);
    let mut interrupts = match Interrupts::listen() {
        Ok(interrupts) => interrupts,
        Err(error) => {
            return ended(&report, Failure::unchanged("cannot listen for Ctrl-C").because(error));
        }
    };
    match steps(args, &mut interrupts, &report).await {
        Ok(code) => code,
        Err(NotInstalled::Usage(failure)) => {
            report.tell(Event::Failed(failure));
            USAGE
        }
        Err(NotInstalled::Failed(failure)) => ended(&report, failure),
        Err(NotInstalled::Interrupted) => {
            let what = format!("interrupted; {} was not touched", args.host);
            report.tell(Event::Failed(Failure::unchanged(what)));
            INTERRUPTED
        }
    }
}

/// Why a machine is not installed.
enum NotInstalled {
    /// The command line is wrong, or nobody could be asked.
    Usage(Box<Failure>),
    /// A step failed.
    Failed(Box<Failure>),
    /// It was interrupted before anything was changed.
    Interrupted,
}

impl From<Box<Failure>> for NotInstalled {
    fn from(failure: Box<Failure>) -> Self {
        Self::Failed(failure)
    }
}

/// Tells a failure; the exit code that its state stands for.
fn ended(report: &Report, failure: Box<Failure>) -> u8 {
    let code = match failure.state {
        State::Unchanged => exit_code(&[Ending::Unchanged]),
        State::Changed(_) => CHANGED,
        State::NotKnown(_) => exit_code(&[Ending::NotKnown]),
    };
    report.tell(Event::Failed(failure));
    code
}

/// The result of `work`, unless an interrupt comes before anything is changed.
async fn unless_interrupted<T>(
    interrupts: &mut Interrupts,
    work: impl Future<Output = Result<T>>,
) -> std::result::Result<T, NotInstalled> {
    match interrupts.unless_interrupted(work).await {
        Some(done) => Ok(done?),
        None => Err(NotInstalled::Interrupted),
    }
}

async fn steps(
    args: &InstallArgs,
    interrupts: &mut Interrupts,
    report: &Report,
) -> std::result::Result<u8, NotInstalled> {
    let wanted = look::wanted(args).map_err(NotInstalled::Usage)?;
    let mut looked = unless_interrupted(interrupts, look::look(args, wanted, report)).await?;
    let key = unless_interrupted(interrupts, key::plan(args, &looked, report)).await?;
    let mut lines = show::overview(&looked, &key);
    if args.dry_run {
        lines.extend(show::steps(&looked, &key));
    }
    report.tell(Event::Plan { machine: looked.name(), lines });
    if args.dry_run {
        return Ok(0);
    }
    let mut lock = unless_interrupted(interrupts, take(&looked)).await?;
    let program = unless_interrupted(interrupts, build::nixos_anywhere(&looked)).await?;
    if !args.asking.yes {
        let question = show::question(&looked);
        let asked = report.while_asking(question::ask_yes_or_no(&question));
        let agreed = unless_interrupted(interrupts, async { Ok(asked.await) }).await?;
        agreed.map_err(|why| not_agreed(&looked, why))?;
    }
    // It listens for Ctrl-C itself, and puts back what it wrote.
    let key = key.write(args, &looked, report).await?;
    let built = match interrupts.unless_interrupted(build::build(&looked, report)).await {
        Some(built) => built.map_err(|failure| key.say_changed(failure))?,
        None => return Err(key.interrupted().into()),
    };
    if !looked.fit.is_installer {
        drop(lock);
        let work = become_installer(args, &mut looked, &built, &program, report);
        match interrupts.unless_interrupted(work).await {
            Some(done) => done?,
            None => return Err(kexec::interrupted(&args.host).into()),
        }
        lock = take(&looked).await?;
    }
    let program = (program, args.showing.verbose);
    install(&looked, &built, &key, program, interrupts, report).await?;
    drop(lock);
    Ok(confirm(args, &looked, built, &key, interrupts, report).await?)
}

fn not_agreed(looked: &Looked, why: NotAgreed) -> NotInstalled {
    let is_nobody = matches!(why, NotAgreed::Nobody(_));
    let failure = Failure::unchanged(format!("{} was not installed", looked.name())).because(why);
    match is_nobody {
        true => NotInstalled::Usage(failure.hint(Some("--yes answers".into()))),
        false => NotInstalled::Failed(failure),
    }
}

/// Takes the computer, so that no second installation does.
async fn take(looked: &Looked) -> Result<InstallLock<'_>> {
    let refused =
        || Failure::unchanged(format!("{} is not installed on {}", looked.name(), looked.host));
    InstallLock::take(&looked.probed.place).await.map_err(|not| match not {
        NotLocked::Busy(by) => {
            let what = format!("{} is being installed already", looked.host);
            Failure::unchanged(what)
                .because(format!("another deploy install has it, from {by}"))
                .hint(Some("wait for its end; the lock ends with its login".into()))
        }
        NotLocked::Failed(why) => refused().because(why),
    })
}
