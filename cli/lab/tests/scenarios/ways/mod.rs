//! The ways from an operator to a machine: the login, the builder, the network, and the flake.

pub mod agent;
pub mod ahead;
pub mod asked_again;
pub mod awake;
pub mod build;
pub mod builder_key;
pub mod delta;
mod delta_between;
pub mod delta_faults;
pub mod delta_lies;
pub mod delta_messages;
pub mod early;
pub mod evaluation;
pub mod flake;
pub mod interrupt;
pub mod left_behind;
pub mod local;
pub mod login;
pub mod machines;
pub mod manifest;
pub mod modes;
pub mod narrow;
pub mod narrow_key;
pub mod profiles;
pub mod push;
pub mod several;
pub mod shared;
pub mod silent;
pub mod straight;
pub mod worlds;

use anyhow::{Result, ensure};
use deploy_lab::hosts::programs::DEPLOY;
use deploy_lab::hosts::{Host, HostSpec, Lab, Terminal};
use deploy_lab::systems::{self, FOLDER, Generation, Loader};

use crate::scene::{ANSWERS, Said};

/// frame1's second generation, which differs from the running one.
pub fn second() -> Generation {
    Generation::new("frame1", 2)
}

/// A flake.nix of frame1 with a unit file that `script` builds on a machine of `system`. `$number`
/// is the generation's number.
pub fn flake_that_builds(unit: &str, system: &str, script: &str) -> String {
    BUILDS.replace("@unit@", unit).replace("@system@", system).replace("@script@", script)
}

const BUILDS: &str = r#"{
  outputs =
    { self }:
    let
      inherit ((builtins.fromJSON (builtins.readFile ./machines/frame1.json))) generation node;
      built = derivation {
        name = "@unit@";
        system = "@system@";
        builder = "/bin/sh";
        PATH = "/usr/bin:/bin";
        number = toString generation.number;
        args = [ "-c" "@script@" ];
      };
      units."@unit@".link = "${built}";
    in
    {
      nixosConfigurations.frame1 = import ./systems/nixos.nix (generation // { inherit units; });
      deploy.nodes.frame1 = node;
    };
}
"#;

/// Replaces the fleet's flake.nix by `text` and commits it.
pub fn write_flake(mac: &Host, text: &str) -> Result<()> {
    mac.write(&format!("{FOLDER}/flake.nix"), text, 0o644)?;
    commit(mac)
}

/// Commits the changes in the fleet's folder.
pub fn commit(mac: &Host) -> Result<()> {
    mac.sh(&format!(
        "cd {FOLDER}; git -c user.name=operator -c user.email=operator@mac commit -qam more"
    ))
    .map(drop)
}

/// Runs `deploy ARGS` on a terminal, in the fleet's folder of `host`. Programs in /usr/local/bin
/// come first in PATH.
pub fn on_terminal(host: &Host, args: &str) -> Result<Terminal> {
    let script = format!("cd {FOLDER}; PATH=/usr/local/bin:$PATH; exec {DEPLOY} {args}");
    host.command(["sh", "-c", &script]).on_terminal()
}

/// Waits for the end of a `deploy` on a terminal. The output is returned without colours.
pub fn end_on_terminal(terminal: Terminal) -> Result<Said> {
    let Said { code, text } = end_with_colours(terminal)?;
    let mut parts = text.split('\x1b');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).map_or(part.len(), |at| at + 1);
        plain += &part[end..];
    }
    Ok(Said { code, text: plain })
}

/// Like [`end_on_terminal`], with cursor movements and colours.
pub fn end_with_colours(terminal: Terminal) -> Result<Said> {
    Ok(Said::of(&terminal.wait(std::time::Duration::from_secs(120))?))
}

/// The number of logins to `host` with a key, by its sshd's journal.
pub fn logins(host: &Host) -> Result<usize> {
    Ok(accepted(host)?.len())
}

/// sshd's lines about accepted logins.
pub fn accepted(host: &Host) -> Result<Vec<String>> {
    let lines = host.journal(&["--no-pager"])?;
    Ok(lines.lines().filter(|line| line.contains("Accepted publickey")).map(Into::into).collect())
}

/// A machine of HOSTS that runs generation 1 with its own name and accepts the operator's key.
pub fn one_more(lab: &mut Lab, mac: &Host, name: &'static str) -> Result<Host> {
    let host = lab.new_host(HostSpec::named(name)?)?;
    host.boot()?;
    host.wait_until_up()?;
    deploy_lab::hosts::access::connect(mac, &host)?;
    systems::install(lab, &host, &Generation::new(name, 1), Loader::Grub)?;
    host.power_cut_and_boot()?;
    host.wait_for_ssh(ANSWERS)?;
    Ok(host)
}

/// Checks that `host` runs generation `number`, by its /etc.
pub fn runs_generation(host: &Host, number: u32) -> Result<()> {
    let runs = host.sh("cat /etc/generation")?;
    ensure!(runs == number.to_string(), "{} runs generation {runs}, not {number}", host.name());
    Ok(())
}
