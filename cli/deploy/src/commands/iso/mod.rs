//! `deploy iso`: one file for each thing that it does.

mod build;
mod flash;
mod wifi;

use build::IsoBuild;

use crate::{
    args::IsoArgs,
    error::{Failure, Result},
    iso::{disk, disks::Disks},
    outcome::{Ending, INTERRUPTED, USAGE, exit_code},
    report::{Event, Report},
    tools::terminal::Interrupts,
};

/// Does what is wanted. Exit codes: 1, it was refused or failed; 2, the command line is wrong, or there
/// is no terminal to ask on; 6, the disks cannot be listed; 130, it was interrupted.
pub async fn run(args: &IsoArgs) -> u8 {
    let (format, detail) = args.showing.report();
    let report = Report::new(format, detail);
    let device = match &args.flash {
        Some(None) => return flash::list(&report).await,
        Some(Some(device)) => Some(device),
        None => None,
    };
    let mut interrupts = match Interrupts::listen() {
        Ok(interrupts) => interrupts,
        Err(error) => {
            return failed(&report, Failure::unchanged("cannot listen for Ctrl-C").because(error));
        }
    };
    let image = match (&args.image, device) {
        (Some(image), Some(_)) => image.clone(),
        (Some(image), None) => {
            let what = format!("nothing is done with {}", image.display());
            let hint = "--flash DEVICE writes it to a disk; without --image one is built";
            report.tell(Event::Failed(Failure::unchanged(what).hint(Some(hint.to_owned()))));
            return USAGE;
        }
        (None, device) => {
            let build = match IsoBuild::of(args) {
                Ok(build) => build,
                Err(failure) => {
                    report.tell(Event::Failed(failure));
                    return USAGE;
                }
            };
            let work = async {
                if let Some(device) = device {
                    refuse_before_the_build(device).await?;
                }
                // A passphrase is asked for before the build, which takes longest.
                let wifi = wifi::wanted(args, &report).await?;
                build.run(wifi, &report).await
            };
            match interrupts.unless_interrupted(work).await {
                Some(Ok(copied)) => copied.path,
                Some(Err(failure)) => return failed(&report, failure),
                None => {
                    let failure = Failure::unchanged("interrupted before there was an image");
                    report.tell(Event::Failed(failure));
                    return INTERRUPTED;
                }
            }
        }
    };
    match device {
        Some(device) => flash::run(device, &image, &mut interrupts, &report).await,
        None => 0,
    }
}

/// Refuses a disk that cannot be written whatever the image is. The build takes longest.
async fn refuse_before_the_build(device: &std::path::Path) -> Result<()> {
    let found = Disks::here().look().await?;
    let disk = disk::named(&found, device)?;
    disk.refuse_unless_usable(0)?;
    disk.refuse_without_permission()
}

/// Tells a failure; the exit code of a command that did not do what it was to.
fn failed(report: &Report, failure: Box<Failure>) -> u8 {
    report.tell(Event::Failed(failure));
    exit_code(&[Ending::Unchanged])
}
