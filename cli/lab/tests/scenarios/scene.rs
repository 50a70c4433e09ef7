//! An operator's computer with `deploy`, a machine to deploy to, and helpers for tests.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::programs::{self, DEPLOY};
use deploy_lab::hosts::{Host, HostSpec, Lab, Output, Places, Running, wait};
use deploy_lab::systems::{BASELINE, FOLDER, Fleet, Generation, Prepared, SERVICES};

/// The limit of an answer over SSH once a machine should be reachable.
pub const ANSWERS: Duration = wait::PATIENCE;

/// The operator's computer `mac`, and `frame1`, which runs generation 1.
pub struct Scene {
    pub mac: Host,
    pub frame1: Host,
}

impl Scene {
    pub fn new(lab: &mut Lab) -> Result<Self> {
        Self::of(lab, &BASELINE)
    }

    /// A scene with the hosts of another prepared set.
    pub fn of(lab: &mut Lab, set: &Prepared) -> Result<Self> {
        let (mac, frame1) = (lab.prepared(set, "mac")?, lab.prepared(set, "frame1")?);
        Self::switched_on(mac, frame1)
    }

    /// A scene whose frame1 has its programs in `places`.
    pub fn with_programs_in(places: Places, lab: &mut Lab) -> Result<Self> {
        let mac = lab.prepared(&BASELINE, "mac")?;
        let spec = HostSpec::named("frame1")?.with_programs_in(places);
        let frame1 = lab.prepared_as(&BASELINE, "frame1", spec)?;
        Self::switched_on(mac, frame1)
    }

    /// A scene whose frame1 runs this repository's services on a real NixOS system.
    pub fn with_services(lab: &mut Lab) -> Result<Self> {
        let mut host = |name| {
            let spec = HostSpec::named(name)?.with_programs_in(Places::Services);
            lab.prepared_as(&SERVICES, name, spec)
        };
        let scene = Self::switched_on(host("mac")?, host("frame1")?)?;
        let services = "caddy notes prometheus-node-exporter victoriametrics";
        let all = format!("! systemctl is-active {services} | grep -v '^active$'");
        wait::until("the services run", ANSWERS, || {
            Ok(scene.frame1.command(["sh", "-c", &all]).run()?.code == 0)
        })?;
        Ok(scene)
    }

    pub fn switched_on(mac: Host, frame1: Host) -> Result<Self> {
        mac.boot()?;
        frame1.boot()?;
        frame1.wait_until_up()?;
        mac.wait_until_up()?;
        programs::install(&mac)?;
        Ok(Self { mac, frame1 })
    }

    /// Writes a fleet of frame1 alone, with short deadlines unless `fleet` has others.
    pub fn wants(&self, generation: Generation) -> Result<()> {
        self.has(Fleet::of("frame1", generation))
    }

    pub fn has(&self, fleet: Fleet) -> Result<()> {
        fleet.write(&self.mac)
    }

    /// Runs `deploy ARGS` in the fleet's folder to its end.
    pub fn deploy(&self, args: &str) -> Result<Said> {
        let output = self.mac.command(["sh", "-c", &line(args)]).run()?;
        Ok(Said::of(&output))
    }

    /// Starts `deploy ARGS` and leaves it running.
    pub fn begin(&self, args: &str) -> Result<Running> {
        self.mac.command(["sh", "-c", &line(args)]).spawn()
    }

    /// The running system of frame1, asked over SSH.
    pub fn runs(&self) -> Result<String> {
        self.mac.sh("ssh frame1 readlink /run/current-system")
    }

    /// The boot default of frame1, determined by a power cut and a boot.
    pub fn boots(&self) -> Result<String> {
        self.frame1.power_cut_and_boot()?;
        self.frame1.wait_for_ssh(ANSWERS)?;
        self.runs()
    }

    /// Checks that frame1 runs `system`, accepts logins and boots it.
    pub fn ends_on(&self, system: &str) -> Result<()> {
        self.frame1.wait_for_ssh(ANSWERS)?;
        let runs = self.runs()?;
        ensure!(runs == system, "frame1 runs {runs}, not {system}");
        let boots = self.boots()?;
        ensure!(boots == system, "frame1 boots {boots}, not {system}");
        Ok(())
    }

    /// The system of the fleet's flake for frame1.
    pub fn wanted(&self) -> Result<String> {
        wanted(&self.mac)
    }

    /// The journal of the attempts on frame1.
    pub fn log(&self) -> Result<String> {
        self.frame1.journal(&["--unit", "deploy-*"])
    }
}

/// The shell command for `deploy ARGS` in the fleet's folder.
pub fn line(args: &str) -> String {
    format!("cd {FOLDER} && exec {DEPLOY} {args}")
}

/// The output and exit code of `deploy`.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub text: String,
}

impl Said {
    pub fn of(output: &Output) -> Self {
        Self { code: output.code, text: format!("{}{}", output.stdout, output.stderr) }
    }

    /// Checks the exit code and that the output contains each of `parts`.
    pub fn ends(&self, code: i32, parts: &[&str]) -> Result<()> {
        let missing = parts.iter().find(|part| !self.text.contains(*part));
        ensure!(self.code == code, "exit code {}, not {code}:\n{}", self.code, self.end());
        ensure!(missing.is_none(), "did not say `{}`:\n{}", missing.unwrap_or(&""), self.end());
        Ok(())
    }

    /// The end of the output. The moving line of a terminal is drawn ten times per second.
    fn end(&self) -> &str {
        const SHOWN: usize = 8000;
        let start = self.text.char_indices().rev().nth(SHOWN);
        &self.text[start.map_or(0, |(at, _)| at)..]
    }
}

/// Waits for a deploy to end. If its machine is gone, `deploy` waits for the limits of all phases.
pub fn end(running: Running) -> Result<Said> {
    let output = running.wait(Duration::from_secs(600)).context("deploy did not end")?;
    Ok(Said::of(&output))
}

/// Waits until a new login from the operator's computer to frame1 works. After a cut cable it may
/// fail with "no route to host" for another second, which is the result of an earlier lookup.
pub fn logs_in(operator: &Host, deadline: Duration) -> Result<()> {
    let options = ["-o", "ControlPath=none", "-o", "BatchMode=yes", "-o", "ConnectTimeout=3"];
    let words = [&["ssh"], &options[..], &["frame1", "true"]].concat();
    wait::until("a login", deadline, || Ok(operator.command(words.clone()).run()?.code == 0))
}

/// The system of an operator's flake for frame1.
pub fn wanted(operator: &Host) -> Result<String> {
    let attribute = "nixosConfigurations.frame1.config.system.build.toplevel.outPath";
    operator.sh(&format!("nix eval --raw {FOLDER}#{attribute}"))
}
