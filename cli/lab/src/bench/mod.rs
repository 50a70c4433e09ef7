//! The benchmark. It runs `deploy`, deploy-rs and `nix copy` in turns on hosts of one lab. `deploy`
//! deploys to `frame1` and deploy-rs to `frame2`, because each keeps its own kind of system
//! profile. Nothing here is asserted. Scenarios use only [`deploy_rs`].

pub mod case;
mod contents;
pub mod deploy_rs;
pub mod figure;
mod fleet;
pub mod pushes;
mod run;
pub mod table;
mod weak;

use std::path::Path;

use anyhow::{Result, bail};

use self::case::{Case, Work};
use self::figure::{Figure, Side, keep};
use self::run::measured;
use crate::hosts::programs::{self, DEPLOY};
use crate::hosts::relay::Relay;
use crate::hosts::{DiskSize, Host, HostSpec, Lab, access};
use crate::systems::{BASELINE, FOLDER, Fleet, Generation};

/// The number of runs of each side in one lab, for cases without a large push.
const TURNS: u32 = 5;

const SIZE: DiskSize = DiskSize { disk_mib: 12 << 10, boot_mib: 32 };

struct Bench<'a> {
    case: Case,
    file: &'a Path,
    mac: Host,
    frame1: Host,
    relays: [Relay; 2],
}

/// Measures one case once and appends the figures to `file`.
///
/// # Errors
/// When a program fails.
pub fn run(lab: &mut Lab, case: Case, round: u32, file: &Path) -> Result<()> {
    if let Work::Evaluate { machines } = case.work {
        return fleet::evaluate(lab, case.name, machines, file);
    }
    let mac = lab.prepared_as(&BASELINE, "mac", HostSpec::named("mac")?.sized(SIZE))?;
    mac.boot()?;
    mac.wait_until_up()?;
    programs::install(&mac)?;
    let mut machine = |name| -> Result<(Host, Relay)> {
        let host = lab.prepared_as(&BASELINE, "frame1", HostSpec::named(name)?.sized(SIZE))?;
        host.boot()?;
        host.wait_until_up()?;
        access::know(&mac, &host)?;
        deploy_rs::install(&mac, &host)?;
        let relay = Relay::start(&host, case.road())?;
        Ok((host, relay))
    };
    let ((frame1, to_frame1), (_, to_frame2)) = (machine("frame1")?, machine("frame2")?);
    let bench = Bench { case, file, mac, frame1, relays: [to_frame1, to_frame2] };
    match case.work {
        Work::Unchanged => bench.unchanged(),
        Work::Change => bench.change(),
        Work::Paths { count, kib } => bench.paths(count, kib, round),
        Work::Evaluate { .. } => Ok(()),
    }
}

impl Bench<'_> {
    fn unchanged(&self) -> Result<()> {
        self.wants(2, Vec::new())?;
        let sides = [Side::Deploy, Side::DeployRs];
        for side in sides {
            self.measured(side)?;
        }
        for turn in 0..TURNS {
            in_turns(sides, turn).into_iter().try_for_each(|side| self.kept(side))?;
            self.floors()?;
        }
        Ok(())
    }

    fn change(&self) -> Result<()> {
        for turn in 0..TURNS {
            self.wants(turn + 2, Vec::new())?;
            let sides = in_turns([Side::Deploy, Side::DeployRs], turn);
            sides.into_iter().try_for_each(|side| self.kept(side))?;
            self.floors()?;
        }
        Ok(())
    }

    /// Each side pushes its own paths, so that no side finds another side's paths on the machine.
    fn paths(&self, count: u32, kib: u32, round: u32) -> Result<()> {
        let sides =
            [Side::Deploy, Side::DeployRs, Side::Push, Side::NixCopy, Side::NixCopyCompressed];
        // Both machines get what all systems have in common first.
        self.wants(2, Vec::new())?;
        self.measured(Side::Deploy)?;
        self.measured(Side::DeployRs)?;
        for (number, side) in (3..).zip(in_turns(sides, round)) {
            let salt = format!("run{round}x{number}");
            self.wants(number, contents::make(&self.mac, count, kib, &salt)?)?;
            // Evaluation and build are done before, so that only the push and the deploy are
            // measured.
            self.mac.sh(&format!("cd {FOLDER}; {DEPLOY} build frame1 frame2"))?;
            self.kept(side)?;
            if side == Side::NixCopy {
                self.kept(Side::SyncOfCopy)?;
            }
        }
        Ok(())
    }

    fn wants(&self, number: u32, contents: Vec<String>) -> Result<()> {
        let generation = |name| Generation::new(name, number).contents(contents.clone());
        Fleet::of("frame1", generation("frame1"))
            .node("frame1", "hostname", "frame1-far")
            .machine("frame2", generation("frame2"))
            .node("frame2", "hostname", "frame2-far")
            .write(&self.mac)
    }

    /// A floor on the machine itself, without a login.
    fn on_the_machine(&self, side: Side) -> Result<Figure> {
        let line = match side {
            Side::SyncOfCopy => "exec sync -f /nix/store",
            Side::Switch => "exec /run/current-system/bin/switch-to-configuration test",
            _ => "echo > /nix/var/bench; exec sync /nix/var/bench",
        };
        measured(&self.frame1, &self.relays[0], self.case.name, side, line)
    }

    fn floors(&self) -> Result<()> {
        [Side::Evaluation, Side::Login, Side::Switch, Side::Sync]
            .into_iter()
            .try_for_each(|side| self.kept(side))
    }

    fn kept(&self, side: Side) -> Result<()> {
        let figure = self.measured(side)?;
        eprintln!("{}: {side:?} {:.2} s, {} logins", self.case.name, figure.seconds, figure.logins);
        keep(self.file, &figure)
    }

    fn measured(&self, side: Side) -> Result<Figure> {
        let system = "nixosConfigurations.frame1.config.system.build.toplevel";
        let copy = |query| {
            format!(
                "cd {FOLDER}; exec nix copy --no-check-sigs --to 'ssh-ng://root@frame1-far{query}' \
                 $(nix eval --raw .#{system}.outPath)"
            )
        };
        let line = match side {
            Side::Deploy => format!("cd {FOLDER}; exec {DEPLOY} --json --timings frame1"),
            Side::Push => format!("cd {FOLDER}; exec {DEPLOY} push frame1"),
            Side::DeployRs => {
                format!("cd {FOLDER}; exec {} .#frame2", deploy_rs::DEPLOY)
            }
            Side::NixCopy => copy(""),
            Side::NixCopyCompressed => copy("?compress=true"),
            Side::Evaluation => {
                format!("cd {FOLDER}; exec nix eval --no-eval-cache --raw .#{system}.drvPath")
            }
            Side::Login => "exec ssh root@frame1-far true".to_owned(),
            Side::Switch | Side::Sync | Side::SyncOfCopy => return self.on_the_machine(side),
            Side::FleetByOne | Side::FleetBySeveral | Side::TreeChanged | Side::TreeChangedBack => {
                bail!("{side:?} is measured without a machine")
            }
        };
        let relay = &self.relays[usize::from(side == Side::DeployRs)];
        measured(&self.mac, relay, self.case.name, side, &line)
    }
}

/// Rotates the order of the sides, so that the first one of a turn is the last one of the next.
fn in_turns<const N: usize>(mut sides: [Side; N], turn: u32) -> [Side; N] {
    sides.rotate_left(turn as usize % N);
    sides
}
