//! The differences between the lanes: how a system with a fault is built, and how it gets to the
//! operator.

use anyhow::Result;
use deploy_lab::hosts::{Host, Lab};
use deploy_lab::systems::{
    self, BASELINE, Fleet, Generation, Image, Lane, Loader, Prepared, READY, Ready, Stage,
};
use deploy_lab::tables::fault_table::{Fault, Phase};
use serde_json::{Map, Value};

use super::settings;
use crate::scene::{ANSWERS, Scene, wanted};

/// The part of the closure that takes long to push.
pub const BALLAST_MIB: u32 = 8;

fn set(lane: Lane) -> &'static Prepared {
    match lane {
        Lane::StandIn | Lane::Hostile => &BASELINE,
        Lane::Real => &READY,
    }
}

/// Hosts that are switched on. The machine runs [`Ready::Before`] if the baseline is not enough for
/// `fault`.
pub fn scene(lab: &mut Lab, lane: Lane, fault: Fault) -> Result<Scene> {
    let scene = Scene::of(lab, set(lane))?;
    scene.frame1.wait_for_ssh(ANSWERS)?;
    if !lane.is_real() && fault == Fault::MountFails {
        systems::install(lab, &scene.frame1, &generation(Ready::Before), Loader::Grub)?;
        scene.frame1.power_cut_and_boot()?;
        scene.frame1.wait_for_ssh(ANSWERS)?;
    }
    Ok(scene)
}

/// Writes the flake of a cell and returns the wanted system.
pub fn wants(scene: &Scene, lane: Lane, fault: Fault, phase: Phase) -> Result<String> {
    let (system, node) = (settings::system(fault, phase), settings::node(fault, phase, lane));
    match lane {
        Lane::StandIn | Lane::Hostile
            if (fault, phase) == (Fault::HalfSwitched, Phase::Activate) =>
        {
            write(&scene.mac, generation(system).breaks_off(Stage::AfterRestart), node)
        }
        _ => has(scene, lane, system, node),
    }
}

/// Writes a flake with this system and these settings of its node. Returns the system.
pub fn has(scene: &Scene, lane: Lane, system: Ready, node: Map<String, Value>) -> Result<String> {
    match lane {
        Lane::StandIn | Lane::Hostile => write(&scene.mac, generation(system), node),
        Lane::Real => {
            system.write(&scene.mac, &node)?;
            system.path(&scene.mac)
        }
    }
}

/// Copies a system that another tool could switch to into the machine's store.
pub fn other(lab: &Lab, scene: &Scene, lane: Lane) -> Result<String> {
    match lane {
        Lane::StandIn | Lane::Hostile => {
            let other = systems::build(lab, &generation(Ready::Other))?;
            systems::closure(lab, &scene.frame1, &[&other])?;
            Ok(other)
        }
        Lane::Real => {
            Ready::Other.copy(&scene.mac, &scene.frame1)?;
            Ready::Other.path(&scene.mac)
        }
    }
}

fn write(operator: &Host, system: Generation, node: Map<String, Value>) -> Result<String> {
    let fleet = Fleet::of("frame1", system);
    let fleet =
        node.into_iter().fold(fleet, |fleet, (key, value)| fleet.node("frame1", &key, value));
    fleet.write(operator)?;
    wanted(operator)
}

/// The same system without nixpkgs.
fn generation(system: Ready) -> Generation {
    let number = |number| Generation::new("frame1", number);
    match system {
        Ready::Before => number(1).fstab("none /mnt/kept tmpfs defaults 0 0\n"),
        Ready::Wanted => number(2),
        Ready::Third => number(3),
        Ready::Other => number(9),
        Ready::Large => number(2).ballast(BALLAST_MIB),
        Ready::OtherKernel => number(2).kernel(Image::new("6.13.0", 2048)),
        Ready::RefusedLogins => number(2).with(&systems::Fault::RefusedLogins),
        Ready::FailingMount => number(2).with(&systems::Fault::FailingMount),
    }
}
