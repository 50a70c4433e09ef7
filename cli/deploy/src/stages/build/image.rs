//! Installation images, which are built and never deployed to.

use deploy_wire::machine::{Image, ImageKind, Machine};

use crate::error::{Failure, Result};

/// Whether the entry is an image, not a machine.
pub fn is_no_machine(machine: &Machine) -> bool {
    matches!(machine.image, Some(Image { kind: ImageKind::Iso, .. }))
}

/// Refuses to deploy to an image: its address may lead to another computer, which would get the
/// installer's system. Refusal `flake/an-image-is-not-deployed-to` is its test.
pub fn refuse_images(machines: &[Machine]) -> Result<()> {
    let Some(machine) = machines.iter().find(|machine| is_no_machine(machine)) else {
        return Ok(());
    };
    let name = &machine.name;
    Err(Failure::unchanged(format!("{name} is an image, not a machine"))
        .because("its configuration makes an image that machines are installed from")
        .hint(Some(format!("build it, and start a computer from it: deploy build {name}"))))
}
