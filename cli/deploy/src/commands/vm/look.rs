//! `deploy vm status`, `list` and `logs`.

use std::{
    io::{Read, Seek, SeekFrom},
    path::Path,
    time::Duration,
};

use super::{failed, named, report};
use crate::{
    args::VmLogsArgs,
    error::{Failure, Result},
    outcome,
    report::{Event, Report, bytes},
    vm::{
        entry::BootEntry,
        folder::VmFolder,
        qemu::{CONSOLE, DISK},
        run::{VmPhase, VmRun},
    },
};

/// The part of a console that is read to show its end.
const END: u64 = 1 << 20;

/// Shows a machine. Exit code 0: it is on; 1: it is off.
pub fn status(name: Option<&str>) -> u8 {
    let report = report();
    let shown = named(name).and_then(|folder| show(&folder, &report));
    match shown {
        Ok(true) => 0,
        Ok(false) => outcome::FINDING,
        Err(failure) => failed(&report, failure),
    }
}

/// Shows all machines that have a disk here.
pub fn list() -> u8 {
    let report = report();
    let all = VmFolder::all()
        .and_then(|all| all.iter().try_for_each(|folder| show(folder, &report).map(drop)));
    match all {
        Ok(()) => 0,
        Err(failure) => failed(&report, failure),
    }
}

/// Shows a machine; whether it is on.
fn show(folder: &VmFolder, report: &Report) -> Result<bool> {
    let (name, path) = (folder.name(), folder.path());
    let is_on = folder.is_on()?;
    let run = VmRun::read(&path);
    let mut lines = Vec::new();
    lines.push(match (&run, is_on) {
        (Some(run), true) => {
            let ports: Vec<String> = run.ports.iter().map(ToString::to_string).collect();
            let (memory, cores) = (run.memory, run.cores);
            format!("on:     ports {}, {memory} MiB, {cores} cores", ports.join(" "))
        }
        (None, true) => "on".to_owned(),
        (Some(VmRun { phase: VmPhase::Off, why: None, .. }) | None, false) => "off".to_owned(),
        (Some(run), false) => {
            let cut = || "it was killed, as in a power cut".to_owned();
            format!("off:    {}", run.why.clone().unwrap_or_else(cut))
        }
    });
    if let Some(system) = run.as_ref().and_then(|run| run.system.clone()).filter(|_| is_on) {
        lines.push(format!("booted: {system}"));
    }
    match BootEntry::read(&path, name) {
        Ok(entry) => lines.push(format!("boots:  {}", entry.system().unwrap_or("not known"))),
        Err(failure) => lines.push(format!("boots:  not known ({})", failure.causes.join(": "))),
    }
    // Blocks, because the disk is sparse.
    let size = std::fs::metadata(path.join(DISK))
        .map(|disk| std::os::unix::fs::MetadataExt::blocks(&disk) * 512);
    lines.push(format!("disk:   {}, {}", path.join(DISK).display(), bytes(size.unwrap_or(0))));
    lines.into_iter().for_each(|line| report.note(name, line));
    Ok(is_on)
}

/// Prints the end of a machine's console.
pub async fn logs(args: &VmLogsArgs) -> u8 {
    let report = report();
    let shown = async {
        let folder = named(args.name.as_deref())?;
        let file = folder.path().join(CONSOLE);
        let cannot = |error: std::io::Error| {
            Failure::unchanged(format!("the console of {} cannot be read", folder.name()))
                .because(format!("{}: {error}", file.display()))
        };
        let at = std::fs::metadata(&file).map_err(cannot)?.len();
        let tell = |line: String| {
            report.tell(Event::Log { machine: folder.name().to_owned(), line });
        };
        tail(&file, args.lines).map_err(cannot)?.into_iter().for_each(tell);
        if args.follow {
            return Err(cannot(follow(&file, at, tell).await));
        }
        Ok(())
    };
    match shown.await {
        Ok(()) => 0,
        Err(failure) => failed(&report, failure),
    }
}

/// Tells what is added to a console, until it cannot be read any more.
async fn follow(file: &Path, mut at: u64, tell: impl Fn(String)) -> std::io::Error {
    loop {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let new = match since(file, at) {
            Ok(new) => new,
            Err(error) => return error,
        };
        // A line that is not whole yet is shown with its rest.
        let whole = new.rfind('\n').map_or(0, |end| end + 1);
        new[..whole].lines().map(str::to_owned).for_each(&tell);
        at += whole as u64;
    }
}

/// The last lines of a console.
pub fn tail(file: &Path, lines: usize) -> std::io::Result<Vec<String>> {
    let length = std::fs::metadata(file)?.len();
    let text = since(file, length.saturating_sub(END))?;
    let all: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = all[all.len().saturating_sub(lines)..].iter();
    Ok(last.map(|line| line.trim_end().to_owned()).collect())
}

fn since(file: &Path, at: u64) -> std::io::Result<String> {
    let mut file = std::fs::File::open(file)?;
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(END).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_console_has_its_last_lines() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(CONSOLE);
        std::fs::write(&file, "one\r\n\r\ntwo\r\nthree").unwrap();
        assert_eq!(tail(&file, 2).unwrap(), ["two", "three"]);
        assert_eq!(tail(&file, 9).unwrap().len(), 3);
    }
}
