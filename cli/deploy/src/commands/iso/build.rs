//! Builds an image through Nix and puts it beside what the operator works on.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use deploy_wire::machine::{ImageKind, Machine};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use crate::{
    args::IsoArgs,
    commands::{build::place, evaluate, linux_build},
    error::{Failure, Result},
    iso::{
        copied::{self, CopiedImage},
        image::BootImage,
        reserved::Filled,
    },
    report::{Event, Report},
    stages::{
        flake::{self, Aim},
        fleet::overrides::Overrides,
    },
};

/// A build of an image, as the command line means it. What is wrong with it is known before Nix runs.
pub struct IsoBuild {
    selection: flake::Selection,
    overrides: Overrides,
    container: Option<String>,
    out: PathBuf,
}

impl IsoBuild {
    /// Reads the command line.
    pub fn of(args: &IsoArgs) -> Result<Self> {
        let selection = flake::select(std::slice::from_ref(&args.name))?.aimed_at(Aim::Look);
        let name = selection.names.as_ref().and_then(|names| names.first()).map(|name| name.name());
        let Some(name) = name else {
            return Err(Failure::unchanged(format!("`{}` names no image", args.name))
                .hint(Some(format!("{}#installer-iso", args.name))));
        };
        let overrides = Overrides {
            build: place(args.build_on.as_deref())?,
            // This command logs in to no machine.
            allow_ssh_opts: true,
            ..args.showing.overrides()
        };
        let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.iso")));
        Ok(Self { selection, overrides, container: args.build_in.clone(), out })
    }

    /// Builds it and copies it out of the store. The Wi-Fi is in the copy alone.
    pub async fn run(
        self,
        wifi: Option<Zeroizing<Vec<u8>>>,
        report: &Report,
    ) -> Result<CopiedImage> {
        let Self { selection, overrides, container, out } = self;
        copied::refuse_in_the_way(&out)?;
        let (nix, fleet) = evaluate::fleet(&selection, &overrides, report).await?;
        let machine = only(fleet.machines)?;
        let paths = linux_build::build(&nix, &machine, container.as_deref(), report).await?;
        let built = paths.first().map(Path::new).unwrap_or(Path::new(""));
        let image = BootImage::open(built)?;
        let filled = wifi.map(|text| filled(&image, &text, &machine.name)).transpose()?;
        let copied = copy(image, out, filled).await?;
        report.tell(Event::Image {
            machine: machine.name,
            path: copied.path.display().to_string(),
            bytes: copied.bytes,
            sha256: copied.sha256.clone(),
        });
        Ok(copied)
    }
}

fn only(machines: Vec<Machine>) -> Result<Machine> {
    let machine = machines.into_iter().next();
    let machine = machine.ok_or_else(|| Failure::unchanged("the flake has no such image"))?;
    match &machine.image {
        Some(image) if image.kind == ImageKind::Iso => Ok(machine),
        _ => Err(Failure::unchanged(format!("{} is no installation image", machine.name))
            .because("its configuration has no `system.build.isoImage`, or it is a node")
            .hint(Some("NixOS's installer/cd-dvd/iso-image.nix makes a configuration one".into()))),
    }
}

/// Ends the copy when nobody waits for it any more.
struct StopCopy(Arc<AtomicBool>);

impl Drop for StopCopy {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn filled(image: &BootImage, text: &[u8], name: &str) -> Result<Filled> {
    Filled::new(&image.file, text).map_err(|why| {
        Failure::unchanged(format!("the image of {name} has no room for Wi-Fi")).because(why).hint(
            Some("machines/installer-iso/wifi.nix reserves it; --no-wifi does without".into()),
        )
    })
}

async fn copy(image: BootImage, out: PathBuf, filled: Option<Filled>) -> Result<CopiedImage> {
    let stop = StopCopy(Arc::default());
    let flag = stop.0.clone();
    let copied = spawn_blocking(move || copied::copy(&image, &out, filled.as_ref(), &flag)).await;
    let copied = copied.map_err(|error| Failure::unchanged("the copy ended").because(error))??;
    copied.ok_or_else(|| Failure::unchanged("the copy was interrupted"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_machine_is_no_installation_image() {
        let package = json!({
            "drv": "/nix/store/00000000000000000000000000000000-x.drv",
            "out": "/nix/store/11111111111111111111111111111111-x",
        });
        let machine = Machine::from_json(json!({
            "version": 1, "name": "frame1", "system": "x86_64-linux", "hostName": "frame1",
            "toplevel": package, "ssh": { "hostname": "127.0.0.1" },
        }));
        let refused = only(vec![machine.unwrap()]).unwrap_err().to_string();
        assert!(refused.contains("frame1 is no installation image"), "{refused}");
    }
}
