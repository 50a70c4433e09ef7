//! The operator's side of a world.

use anyhow::Result;
use deploy_lab::hosts::programs::DEPLOY;
use deploy_lab::hosts::{ASKADMIN_PASSWORD, Host};
use deploy_lab::systems::FOLDER;
use deploy_lab::tables::worlds::{Axis, World};

use crate::scene::Said;
use crate::ways::end_on_terminal;
use crate::ways::worlds::CONFIG;

/// Sets up another /tmp; this script creates it.
pub fn tmp(host: &Host, value: &str) -> Result<()> {
    let script = match value {
        "noexec" => "mount -t tmpfs -o noexec,mode=1777 tmp /tmp",
        "full" => {
            "mount -t tmpfs -o size=64k,mode=1777 tmp /tmp; \
             ! head -c 1M /dev/zero > /tmp/fills-it 2> /dev/null"
        }
        _ => return Ok(()),
    };
    host.sh(script).map(drop)
}

/// The operator in `world`, with a terminal.
pub struct Operator {
    mac: Host,
    world: World,
}

impl Operator {
    pub fn of(mac: &Host, world: &World) -> Self {
        Self { mac: mac.clone(), world: world.clone() }
    }

    /// Sets up the world. Systems that could not be built in it must be built before.
    pub fn set_up(&self) -> Result<()> {
        if self.world.of(Axis::SshConfig) == "hostile" {
            self.mac.write("/root/.ssh/config", CONFIG, 0o600)?;
        }
        tmp(&self.mac, self.world.of(Axis::OperatorTmp))
    }

    /// Builds the fleet's system of frame1 with this world's Nix.
    pub fn build(&self) -> Result<String> {
        let attribute = "nixosConfigurations.frame1.config.system.build.toplevel";
        let build = format!("nix build --no-link --print-out-paths {FOLDER}#{attribute}");
        let output = self.mac.command(["sh", "-euc", &self.line(&build)]).run()?.success()?;
        Ok(output.stdout.trim().to_owned())
    }

    /// Runs `deploy ARGS` in the fleet's folder and types the password if it is asked for.
    pub fn deploys(&self, args: &str) -> Result<Said> {
        let line = self.line(&format!("cd {FOLDER}; exec {DEPLOY} {args}"));
        let command = self.mac.command(["sh", "-c", &line]);
        if self.world.of(Axis::Root) != "sudo, password" {
            return Ok(Said::of(&command.run()?));
        }
        let mut terminal = command.on_terminal()?;
        terminal.wait_for("sudo password on frame1")?;
        terminal.types(&format!("{ASKADMIN_PASSWORD}\n"))?;
        end_on_terminal(terminal)
    }

    /// Wraps `script` with the world's locale, terminal, umask and Nix.
    fn line(&self, script: &str) -> String {
        let locale = match self.world.of(Axis::Locale) {
            "C.UTF-8, xterm" => "export LANG=C.UTF-8 TERM=xterm",
            "de_DE.UTF-8, dumb" => "export LANG=de_DE.UTF-8 LC_ALL=de_DE.UTF-8 TERM=dumb",
            _ => "unset LANG LC_ALL TERM",
        };
        let nix = match self.world.of(Axis::Nix) {
            "trixie" => String::new(),
            suite => {
                let programs = format!("/opt/nix-{suite}/usr/bin");
                format!("export PATH={programs}:$PATH NIX_BIN_DIR={programs}; ")
            }
        };
        format!("umask {}; {locale}; {nix}{script}", self.world.of(Axis::Umask))
    }
}
