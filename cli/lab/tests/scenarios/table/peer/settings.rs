//! The deployed systems of deploy-rs's cells, with limits short enough for a test.

use deploy_lab::systems::{self, Fleet, Generation, Image, Stage};
use deploy_lab::tables::fault_table::Fault;
use deploy_lab::tables::fault_table::peer::{Phase, Row};

use crate::table::lane::BALLAST_MIB;
use crate::table::settings::{LONG, SHORT, never_confirmed};

/// The fleet of a cell.
pub fn fleet(row: Row, phase: Phase, number: u32) -> Fleet {
    let fleet =
        of(generation(row, phase, number), confirm_timeout(row, phase), activation_timeout(row));
    let far = needs_road(row, phase);
    if far { fleet.node("frame1", "hostname", "frame1-far") } else { fleet }
}

/// A system without a fault.
pub fn well(number: u32) -> Fleet {
    of(Generation::new("frame1", number), LONG, LONG)
}

fn of(system: Generation, confirm: u64, activation: u64) -> Fleet {
    Fleet::of("frame1", system).node("frame1", "confirmTimeout", confirm).node(
        "frame1",
        "activationTimeout",
        activation,
    )
}

/// Whether the operator reaches the machine through a relay.
pub fn needs_road(row: Row, phase: Phase) -> bool {
    phase == Phase::Push || row == Row::Of(Fault::AnswerLost)
}

fn confirm_timeout(row: Row, phase: Phase) -> u64 {
    match row {
        _ if phase == Phase::RollBack => SHORT,
        Row::NetworkBackLate => SHORT,
        Row::Of(fault) if never_confirmed(fault) => SHORT,
        _ => LONG,
    }
}

fn activation_timeout(row: Row) -> u64 {
    if row == Row::Of(Fault::Hangs) { SHORT } else { LONG }
}

fn generation(row: Row, phase: Phase, number: u32) -> Generation {
    let system = Generation::new("frame1", number);
    match (phase, row) {
        (Phase::Push, _) => system.ballast(BALLAST_MIB),
        (Phase::Activate, Row::Of(Fault::NoNewLogins) | Row::NoNewLoginsKept) => {
            system.with(&systems::Fault::RefusedLogins)
        }
        (Phase::Activate, Row::Of(Fault::MountFails)) => system.with(&systems::Fault::FailingMount),
        (Phase::Activate, Row::Of(Fault::HalfSwitched)) => system.breaks_off(Stage::AfterRestart),
        (_, Row::Of(Fault::BootFull)) => system.kernel(Image::new("6.13.0", 2048)),
        _ => system,
    }
}
