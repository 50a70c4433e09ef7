//! `deploy vm status`, `list` and `logs`.

use std::{
    io::{Read, Seek, SeekFrom},
    path::Path,
    time::Duration,
};

use super::{failed, named, report};
use crate::{
    args::{AsJson, VmLogsArgs, VmStatusArgs},
    error::{Failure, Result},
    outcome,
    report::{Detail, Event, PortShown, Report, VmShown},
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
pub fn status(args: &VmStatusArgs) -> u8 {
    let VmStatusArgs { name, shown } = args;
    let report = Report::new(shown.format(), Detail::Normal);
    let seen = named(name.as_deref()).and_then(|folder| look(&folder));
    match seen {
        Ok(vm) => {
            let is_on = vm.is_on;
            report.tell(Event::Vm(vm));
            if is_on { 0 } else { outcome::FINDING }
        }
        Err(failure) => failed(&report, failure),
    }
}

/// Shows all machines that have a disk here.
pub fn list(shown: &AsJson) -> u8 {
    let report = Report::new(shown.format(), Detail::Normal);
    let all = VmFolder::all().and_then(|all| {
        all.iter().try_for_each(|folder| {
            report.tell(Event::Vm(look(folder)?));
            Ok(())
        })
    });
    match all {
        Ok(()) => 0,
        Err(failure) => failed(&report, failure),
    }
}

/// What is known of a machine.
fn look(folder: &VmFolder) -> Result<VmShown> {
    let (name, path) = (folder.name().to_owned(), folder.path());
    let is_on = folder.is_on()?;
    let run = VmRun::read(&path);
    let why = match &run {
        _ if is_on => None,
        Some(VmRun { phase: VmPhase::Off, why: None, .. }) | None => None,
        Some(run) => {
            let cut = || "it was killed, as in a power cut".to_owned();
            Some(run.why.clone().unwrap_or_else(cut))
        }
    };
    let (boots, boots_not_known) = match BootEntry::read(&path, &name) {
        Ok(entry) => (entry.system().map(str::to_owned), None),
        Err(failure) => (None, Some(failure.causes.join(": "))),
    };
    let disk = path.join(DISK);
    // Blocks, because the disk is sparse.
    let size =
        std::fs::metadata(&disk).map(|disk| std::os::unix::fs::MetadataExt::blocks(&disk) * 512);
    let ports = run.iter().filter(|_| is_on).flat_map(|run| &run.ports);
    Ok(VmShown {
        ports: ports.map(|port| PortShown { here: port.here, guest: port.guest }).collect(),
        memory: run.as_ref().map(|run| run.memory),
        cores: run.as_ref().map(|run| run.cores),
        booted: run.and_then(|run| run.system).filter(|_| is_on),
        disk: disk.display().to_string(),
        disk_bytes: size.unwrap_or(0),
        name,
        is_on,
        boots,
        boots_not_known,
        why,
    })
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
