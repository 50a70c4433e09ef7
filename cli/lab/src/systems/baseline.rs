//! The system that a host runs before any deploy. It is built here, copied to the host's store, and
//! made the host's profile and boot default.

use std::time::Duration;

use anyhow::{Result, bail};

use super::files::{INSTALL, PAIR_RECIPE, RECIPE};
use super::fleet::{FOLDER, Fleet};
use super::generation::Generation;
use super::prepared::Prepared;
use crate::hosts::{Host, HostSpec, Lab, Nix, Places, access, process};

/// How long the first build of a real system may take. It has some hundred derivations.
const BUILDS: Duration = Duration::from_secs(480);

/// A boot loader, named after its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loader {
    /// grub/grub.cfg
    Grub,
    /// extlinux/extlinux.conf
    Extlinux,
    /// loader/loader.conf and entries
    SystemdBoot,
    /// No boot loader, so the boot default is unknown.
    None,
}

impl Loader {
    fn word(self) -> &'static str {
        match self {
            Self::Grub => "grub",
            Self::Extlinux => "extlinux",
            Self::SystemdBoot => "systemd-boot",
            Self::None => "none",
        }
    }
}

/// The hosts `mac`, the operator's computer, and `frame1`, which accepts the operator's key for
/// root, admin and askadmin. No system is deployed.
pub const PAIR: Prepared =
    Prepared { name: "pair", recipe: PAIR_RECIPE, inputs: &[], make: |lab| pair(lab).map(drop) };

/// The hosts `mac`, the operator's computer, and `frame1`, which runs and boots generation 1 with
/// GRUB. The operator can log in there as root, admin and askadmin.
pub const BASELINE: Prepared = Prepared {
    name: "baseline",
    recipe: RECIPE,
    inputs: &[],
    make: |lab| {
        let [_, frame1] = pair(lab)?;
        install(lab, &frame1, &Generation::new("frame1", 1), Loader::Grub).map(drop)
    },
};

/// `mac` and `frame1`, booted and without a system. The operator can log in.
pub(super) fn pair(lab: &mut Lab) -> Result<[Host; 2]> {
    pair_with(lab, Places::Debian)
}

/// The same with these programs.
pub(super) fn pair_with(lab: &mut Lab, places: Places) -> Result<[Host; 2]> {
    let mac = lab.new_host(HostSpec::named("mac")?.with_programs_in(places))?;
    let frame1 = lab.new_host(HostSpec::named("frame1")?.with_programs_in(places))?;
    for host in [&mac, &frame1] {
        host.boot()?;
    }
    for host in [&mac, &frame1] {
        host.wait_until_up()?;
    }
    access::connect(&mac, &frame1)?;
    Ok([mac, frame1])
}

/// Builds the system of `generation` on this machine and returns its path.
///
/// # Errors
/// When it does not build.
pub fn build(lab: &Lab, generation: &Generation) -> Result<String> {
    let folder = lab.folder().join("systems");
    Fleet::of("machine", generation.clone()).write_here(&folder)?;
    let attribute = "path:.#nixosConfigurations.machine.config.system.build.toplevel";
    let words = ["nix", "build", "--no-link", "--print-out-paths", attribute];
    let output = process::run(&mut Nix::new(&folder)?.command(words)?)?;
    Ok(output.trim().to_owned())
}

/// Copies the closures of systems that were built here to the host's store.
///
/// # Errors
/// When it cannot be exported or imported.
pub fn closure(lab: &Lab, host: &Host, systems: &[&str]) -> Result<()> {
    let nix = Nix::new(lab.folder())?;
    let script = "nix-store --export $(nix-store --query --requisites \"$@\")";
    let words = ["sh", "-euc", script, "sh"];
    let output = nix.command(words.iter().chain(systems))?.output()?;
    if !output.status.success() {
        bail!("cannot export {systems:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    host.command(["nix-store", "--import"]).stdin(output.stdout).run()?.success()?;
    // Nix does not sync. A power cut would leave empty files below valid paths.
    host.sync()
}

/// Makes `host` run `generation` from its next boot on. Returns the system's path.
///
/// # Errors
/// When it cannot be built, copied or installed.
pub fn install(lab: &Lab, host: &Host, generation: &Generation, loader: Loader) -> Result<String> {
    let system = build(lab, generation)?;
    closure(lab, host, &[&system])?;
    install_system(host, &system, loader)?;
    Ok(system)
}

/// Makes `host` run `system`, which is in its store, from its next boot on.
///
/// # Errors
/// When the profile or the loader cannot be written.
pub fn install_system(host: &Host, system: &str, loader: Loader) -> Result<()> {
    let words = ["sh", "-euc", INSTALL, "install", system, loader.word()];
    host.command(words).run()?.success()?;
    host.sync()
}

/// Builds the system of `machine` on `operator`, from the flake in [`super::FOLDER`], and copies
/// its closure to `machine`. Returns the path.
///
/// # Errors
/// When it does not build, or the operator cannot log in as root.
pub fn build_and_copy(operator: &Host, machine: &Host) -> Result<String> {
    let name = machine.name();
    let attribute = format!("nixosConfigurations.{name}.config.system.build.toplevel");
    let build = format!("nix build --no-link --print-out-paths {FOLDER}#{attribute}");
    let built = operator.command(["sh", "-euc", &build]).spawn()?.wait(BUILDS)?.success()?;
    let system = built.stdout.trim().to_owned();
    operator.sh(&format!("nix copy --no-check-sigs --to ssh-ng://root@{name} {system}"))?;
    // Nix does not sync.
    machine.sync()?;
    Ok(system)
}
