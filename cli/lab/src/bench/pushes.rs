//! Pushes of what resembles what the machine has: Debian's packages and their security updates, as
//! store paths with references, over 50 Mbit/s and 20 ms. Each way of pushing starts from the same
//! machine, with paths of its own: another salt changes all hashes.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{SIZE, weak::Weak};
use crate::hosts::programs::{self, DEPLOY};
use crate::hosts::relay::{Direction, Relay, RoadSpec};
use crate::hosts::{Host, HostSpec, Lab, access};
use crate::systems::{BASELINE, FOLDER, Fleet, Generation};

const ROAD: RoadSpec = RoadSpec { one_way: Duration::from_millis(10), mbit_per_second: Some(50) };

/// What changes between the machine's system and the pushed one.
const CASES: [(&str, &str); 4] = [
    ("mass rebuild: the same contents, all hashes new", "rebuilt"),
    ("security updates", "updated"),
    ("a kernel update", "kernel"),
    ("one file of a path", "file"),
];

/// The cases that are measured to a weak machine too.
const WEAK: [(&str, &str); 2] = [
    ("mass rebuild, to a fifth of a processor", "rebuilt"),
    ("security updates, to a fifth of a processor", "updated"),
];

/// A way to push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// `deploy push`, with the machine's paths in the operator's store too.
    Own,
    /// `deploy push` from a computer that has none of the machine's paths as they are there.
    Foreign,
    NixCopy,
    NixCopyCompressed,
}

const WAYS: [(Way, &str); 4] = [
    (Way::Own, "`deploy push`, a copy of the base here"),
    (Way::Foreign, "`deploy push`, the machine reads the base"),
    (Way::NixCopy, "`nix copy`"),
    (Way::NixCopyCompressed, "`nix copy`, compressed"),
];

/// Measures all cases with the packages in `folder`, and prints the table.
///
/// # Errors
/// When a program fails.
pub fn run(lab: &mut Lab, folder: &Path) -> Result<()> {
    let host = |name: &str, lab: &mut Lab| -> Result<Host> {
        let host = lab.prepared_as(&BASELINE, name, HostSpec::named(name)?.sized(SIZE))?;
        host.boot()?;
        host.wait_until_up()?;
        Ok(host)
    };
    let (mac, frame1) = (host("mac", lab)?, host("frame1", lab)?);
    programs::install(&mac)?;
    access::know(&mac, &frame1)?;
    let copied = Command::new("cp").arg("-r").arg(folder).arg(mac.root().join("debs")).status()?;
    ensure!(copied.success(), "the packages cannot be copied to the operator's computer");
    mac.write("/root/packages.nix", NIX, 0o644)?;
    let relay = Relay::start(&frame1, ROAD)?;
    let bench = Pushes { mac, frame1, relay };
    println!("| | NAR bytes | way | seconds | bytes to the machine | of the NAR | bytes back |");
    println!("|---|---|---|---|---|---|---|");
    for (number, (title, kind)) in (1..).zip(CASES) {
        bench.case(number * 100, title, kind)?;
    }
    bench.unlike(500)?;
    match Weak::new(&bench.frame1)? {
        Some(_weak) => {
            for (number, (title, kind)) in (6..).zip(WEAK) {
                bench.case(number * 100, title, kind)?;
            }
        }
        None => {
            println!("skipped: a weak machine: no cpu controller of cgroups v1 is mounted here")
        }
    }
    Ok(())
}

struct Pushes {
    mac: Host,
    frame1: Host,
    relay: Relay,
}

impl Pushes {
    fn case(&self, number: u32, title: &str, kind: &str) -> Result<()> {
        let before = self.built(kind, "old", number)?;
        self.wants(number, &before)?;
        let row = self.measured(&format!("cd {FOLDER}; exec {DEPLOY} --json frame1"))?;
        self.print(
            title,
            "`deploy`, to the system before; the first case sends whole paths",
            &before,
            &row,
        )?;
        for (salt, (way, name)) in (number + 1..).zip(WAYS) {
            let paths = self.built(kind, "new", salt)?;
            self.wants(salt, &paths)?;
            if way == Way::Foreign {
                self.spoil(&before)?;
            }
            let row = self.pushed(way, &paths)?;
            self.print(title, name, &paths, &row)?;
        }
        Ok(())
    }

    /// What shares nothing with the paths of the same names, beside the same under names that the
    /// machine has not: what looking for a base costs in vain.
    fn unlike(&self, number: u32) -> Result<()> {
        let title = "nothing in common with the paths of the same names";
        let before = self.built("unlike", "old", number)?;
        self.wants(number, &before)?;
        self.measured(&format!("cd {FOLDER}; exec {DEPLOY} --json frame1"))?;
        for turn in 1..4 {
            let ways = [("new".to_owned(), "names it has"), (turn.to_string(), "names it lacks")];
            for (at, (which, name)) in (0..).zip(ways) {
                let salt = number + 2 * turn + at;
                let paths = self.built("unlike", &which, salt)?;
                self.wants(salt, &paths)?;
                let row = self.pushed(Way::Own, &paths)?;
                self.print(title, &format!("`deploy push`, under {name}"), &paths, &row)?;
            }
        }
        Ok(())
    }

    fn pushed(&self, way: Way, paths: &[String]) -> Result<Measured> {
        let query = if way == Way::NixCopyCompressed { "?compress=true" } else { "" };
        self.measured(&match way {
            Way::Own | Way::Foreign => format!("cd {FOLDER}; exec {DEPLOY} push --json frame1"),
            Way::NixCopy | Way::NixCopyCompressed => format!(
                "exec nix --extra-experimental-features nix-command copy --no-check-sigs \
                 --to 'ssh-ng://root@frame1-far{query}' {}",
                paths.join(" ")
            ),
        })
    }

    /// The paths of these packages.
    fn built(&self, kind: &str, which: &str, salt: u32) -> Result<Vec<String>> {
        let script = "exec nix-build --no-out-link --argstr salt $1 --argstr kind $2 \
                      --argstr which $3 /root/packages.nix";
        let words = ["sh", "-euc", script, "sh", &salt.to_string(), kind, which];
        let out = self.mac.command(words).run()?.success()?.stdout;
        Ok(out.lines().map(Into::into).collect())
    }

    /// Changes a byte of each of the operator's copies, so that they are not the machine's.
    fn spoil(&self, paths: &[String]) -> Result<()> {
        let script = "for path; do find $path -type f -size +4k | head -n 1 | while read -r file; do \
                      chmod u+w $file; printf X | dd of=$file bs=1 seek=2000 conv=notrunc status=none; \
                      done; done";
        let words = ["sh", "-euc", script, "sh"].into_iter().map(str::to_owned);
        let words: Vec<String> = words.chain(paths.iter().cloned()).collect();
        self.mac.command(&words).run()?.success().map(drop)
    }

    fn wants(&self, number: u32, paths: &[String]) -> Result<()> {
        let system = Generation::new("frame1", number).contents(paths.to_vec());
        Fleet::of("frame1", system).node("frame1", "hostname", "frame1-far").write(&self.mac)
    }

    fn measured(&self, line: &str) -> Result<Measured> {
        let bytes = || [Direction::ToHost, Direction::FromHost].map(|way| self.relay.bytes(way));
        let (before, begun) = (bytes(), Instant::now());
        let printed = self.mac.command(["sh", "-c", line]).run()?.success()?.stdout;
        let seconds = begun.elapsed().as_secs_f64();
        let after = bytes();
        let mut documents = printed.lines().filter_map(|line| serde_json::from_str(line).ok());
        let last = documents.rfind(|document: &Value| document["event"] == "push");
        let reused = last.and_then(|push| push["reused"].as_u64());
        Ok(Measured { seconds, to: after[0] - before[0], back: after[1] - before[1], reused })
    }

    fn print(&self, title: &str, way: &str, paths: &[String], row: &Measured) -> Result<()> {
        let sizes = self.mac.sh(&format!("nix-store -q --size {}", paths.join(" ")))?;
        let nar: u64 = sizes.lines().filter_map(|line| line.parse::<u64>().ok()).sum();
        ensure!(nar > 0, "the paths have no size");
        let Measured { seconds, to, back, reused } = row;
        let share = 100.0 * *to as f64 / nar as f64;
        let reused = reused.map_or_else(String::new, |reused| format!(", {reused} reused"));
        println!(
            "| {title} | {nar} | {way}{reused} | {seconds:.1} | {to} | {share:.1} % | {back} |"
        );
        Ok(())
    }
}

struct Measured {
    seconds: f64,
    to: u64,
    back: u64,
    reused: Option<u64>,
}

/// Each package as a store path, whose larger files name a library and the path itself.
const NIX: &str = include_str!("packages.nix");

/// The folders of the packages that a case needs.
///
/// # Errors
/// When one is missing.
pub fn check(folder: &Path) -> Result<()> {
    for which in ["old", "new"] {
        let folder = folder.join(which);
        let mut files = folder.read_dir().with_context(|| folder.display().to_string())?;
        ensure!(files.next().is_some(), "{} has no packages", folder.display());
    }
    Ok(())
}
