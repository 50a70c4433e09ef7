//! `deploy vm`: a small system in a real virtual machine, with the command line that `deploy` builds
//! for qemu. The processor is emulated: hosts have no /dev/kvm.

mod boots;
mod installer;
mod rehearsal;
mod starts;

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::programs::{self, AGENT};
use deploy_lab::hosts::{DiskSize, Host, HostSpec, Lab, Places, access, wait};
use deploy_lab::systems::{FOLDER, Fleet, Generation, Image, Unit};
use serde_json::json;

use crate::harness::Scenario;
use crate::scene::{Said, line};

pub const ALL: &[Scenario] = &[
    Scenario::new("a-virtual-machine-is-started-and-deployed-to-and-stopped", starts::started)
        .with_programs(Places::Vm),
    Scenario::new("a-virtual-machine-boots-what-was-committed", boots::what_was_committed)
        .with_programs(Places::Vm)
        .within(Duration::from_secs(1800)),
    Scenario::new(
        "a-virtual-machine-ends-with-the-deploy-vm-that-shows-it",
        starts::ends_with_its_owner,
    )
    .with_programs(Places::Vm),
    Scenario::new(
        "a-rehearsal-that-fails-keeps-the-machine-as-it-is",
        rehearsal::keeps_the_machine,
    )
    .with_programs(Places::Vm)
    .within(Duration::from_secs(1200)),
    Scenario::new("a-rehearsal-that-is-interrupted-leaves-nothing", rehearsal::is_interrupted)
        .with_programs(Places::Vm)
        .within(Duration::from_secs(900)),
    Scenario::new("an-installer-image-starts-with-the-wi-fi-that-was-put-on-it", installer::starts)
        .with_programs(Places::Vm),
    Scenario::new(
        "an-installer-image-with-wi-fi-starts-as-a-disc-too",
        installer::starts_as_a_disc,
    )
    .with_programs(Places::Vm),
    Scenario::new("a-virtual-machine-that-cannot-start-says-why", starts::refusals)
        .with_programs(Places::Vm),
];

/// The machine's name, and its folder on the operator's computer.
const NAME: &str = "frame1-vm";
const STATE: &str = "/root/.local/state/deploy/vm/frame1-vm";

/// The manifest of a system that checks one unit.
fn manifest(unit: &str) -> String {
    json!({
        "version": 1,
        "checks": [{
            "name": "unit", "service": "ssh", "level": "required", "grace": 10,
            "kind": { "type": "unit", "unit": unit },
        }],
        "rollback": { "services": {} },
        "beforeActivate": [],
        "secrets": [],
    })
    .to_string()
}

/// What logind does on a system with udev: the power button shuts it down. An event has 24 bytes.
const POWER_BUTTON: &str = "device=$(grep -A 4 'Power Button' /proc/bus/input/devices | \
                            grep -o 'event[0-9]*')\n\
                            head -c 24 /dev/input/$device > /dev/null && systemctl poweroff\n";

/// How long an emulated machine may take.
const SLOW: Duration = Duration::from_secs(900);

/// The package that starts a system of the lab.
const PACKAGE: [(&str, &str); 2] = [
    ("default.nix", include_str!("../../../systems/vm/default.nix")),
    ("package.sh", include_str!("../../../systems/vm/package.sh")),
];

/// The operator's computer, with qemu.
struct Desk {
    mac: Host,
    /// The agent in its store, which each system has.
    agent: String,
}

impl Desk {
    fn new(lab: &mut Lab) -> Result<Self> {
        let size = DiskSize { disk_mib: 6144, boot_mib: 32 };
        let spec = HostSpec::named("mac")?.with_programs_in(Places::Vm).sized(size);
        let desk = Self::at(lab.new_host(spec)?)?;
        access::operator_key(&desk.mac)?;
        desk.wants(1, |generation| generation)?;
        Ok(desk)
    }

    fn at(mac: Host) -> Result<Self> {
        mac.boot()?;
        mac.wait_until_up()?;
        programs::install(&mac)?;
        let agent = mac.sh(&format!("nix-store --add {AGENT}"))?;
        Ok(Self { mac, agent })
    }

    /// Writes the fleet with this generation of the virtual machine.
    fn wants(&self, number: u32, change: impl FnOnce(Generation) -> Generation) -> Result<()> {
        self.has(Fleet::default(), number, change)
    }

    /// Adds the virtual machine to a fleet.
    fn has(
        &self,
        fleet: Fleet,
        number: u32,
        change: impl FnOnce(Generation) -> Generation,
    ) -> Result<()> {
        let generation = Generation::new(NAME, number)
            .loader("extlinux")
            .agent(&self.agent)
            .etc("deploy-agent/manifest.json", &manifest("sshd.service"))
            .kernel(Image::copy_of("/opt/vm/kernel"))
            .initrd(Image::copy_of("/opt/vm/initrd.gz"))
            .etc("power-button", POWER_BUTTON)
            .unit("power-button.service", Unit::service("ExecStart=/bin/sh -eu /etc/power-button"));
        let known = format!("{STATE}/known_hosts");
        let options = [
            "-p".to_owned(),
            "2222".into(),
            "-o".into(),
            format!("UserKnownHostsFile={known}"),
            "-o".into(),
            format!("HostKeyAlias={NAME}"),
            "-o".into(),
            "StrictHostKeyChecking=accept-new".into(),
        ];
        let fleet = fleet
            .machine(NAME, change(generation))
            .node(NAME, "hostname", "127.0.0.1")
            .node(NAME, "sshOpts", options.to_vec())
            .node(NAME, "confirmTimeout", 120);
        fleet.write(&self.mac)?;
        for (path, text) in PACKAGE {
            self.mac.write(&format!("{FOLDER}/vm/{path}"), text, 0o644)?;
        }
        self.mac.sh(&format!(
            "cd {FOLDER}; \
             sed -i 's|// (m.node or {{ }})|// (if name != \"{NAME}\" then {{ }} else {{ image = {{ \
             kind = \"vm\"; package = \
             import ./vm self.nixosConfigurations.${{name}}.config.system.build.toplevel; }}; }}) &|' \
             flake.nix; grep -q 'import ./vm' flake.nix; git add --all; \
             git -c user.name=operator -c user.email=operator@mac commit -q -m vm"
        ))?;
        Ok(())
    }

    fn deploy(&self, args: &str) -> Result<Said> {
        let running = self.mac.command(["sh", "-c", &line(args)]).spawn()?;
        Ok(Said::of(&running.wait(SLOW)?))
    }

    /// The system of the flake.
    fn wanted(&self) -> Result<String> {
        let attribute = format!("nixosConfigurations.{NAME}.config.system.build.toplevel.outPath");
        self.mac.sh(&format!("nix eval --raw {FOLDER}#{attribute}"))
    }

    /// Runs a command in the virtual machine.
    fn inside(&self, command: &str) -> Result<String> {
        let said = self.deploy(&format!("vm ssh {NAME} -- {command}"))?;
        ensure!(said.code == 0, "{command}: {}", said.text);
        Ok(said.text.trim().to_owned())
    }

    /// Checks that it runs and boots this system.
    fn is_on(&self, system: &str) -> Result<()> {
        let runs = self.inside("readlink /run/current-system")?;
        ensure!(runs == system, "it runs {runs}, not {system}");
        let booted = self.inside("readlink /run/booted-system")?;
        let status = self.deploy(&format!("vm status {NAME}"))?;
        status
            .ends(0, &["on:     ports 8443:443 8080:80 2222:22", &format!("booted: {booted}")])?;
        status.ends(0, &[&format!("boots:  {system}")])
    }

    fn start(&self) -> Result<Said> {
        let said = self.deploy(&format!("vm {NAME} --detach"))?;
        said.ends(0, &["qemu emulates the processor", "SSH answers after"])?;
        Ok(said)
    }

    /// Kills qemu, as a power cut ends a machine.
    fn cut(&self) -> Result<()> {
        self.mac.sh(&format!("kill -KILL $(jq .qemu {STATE}/run.json)"))?;
        wait::until("it is off", wait::PATIENCE, || {
            Ok(self.deploy(&format!("vm status {NAME}"))?.code == 1)
        })
    }
}

fn nothing_is_left(desk: &Desk) -> Result<()> {
    let left = desk.mac.sh("pgrep -a 'qemu|deploy' || :")?;
    ensure!(left.is_empty(), "left running: {left}");
    Ok(())
}
