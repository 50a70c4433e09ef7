//! What the services must prevent: by users of the machine, by visitors of the sites, and by keys
//! for builds or deploys.

use anyhow::{Result, ensure};
use deploy_lab::hosts::Host;

use crate::scene::Scene;

const BUILDER: &str = "/root/.ssh/builder";
const DEPLOYER: &str = "/root/.ssh/deployer";

/// A key of the operator for builds only, and the module's line that accepts it.
pub fn builder(operator: &Host) -> Result<String> {
    let key = key(operator, BUILDER)?;
    Ok(format!(
        "homelab.services.remote-builder = {{ enable = true; authorizedKeys = [ \"{key}\" ]; }};"
    ))
}

/// A key of the operator for deploys only, and the module's line that accepts it.
pub fn deployer(operator: &Host) -> Result<String> {
    let key = key(operator, DEPLOYER)?;
    Ok(format!("deploy.agent = {{ user = \"deploy\"; authorizedKeys = [ \"{key}\" ]; }};"))
}

fn key(operator: &Host, file: &str) -> Result<String> {
    operator.sh(&format!("ssh-keygen -q -t ed25519 -N '' -C '' -f {file}"))?;
    Ok(operator.read(&format!("{file}.pub"))?.trim().to_owned())
}

pub fn look(scene: &Scene) -> Result<()> {
    users(scene)?;
    visitors(scene)?;
    builders(scene)?;
    deployers(scene)
}

/// A user of the machine cannot change the running services.
fn users(scene: &Scene) -> Result<()> {
    let admin = "http://caddy/config/ --unix-socket /run/caddy/admin.sock";
    scene.frame1.sh(&format!("curl -sf {admin}"))?;
    let delete = "http://127.0.0.1:8428/api/v1/admin/tsdb/delete_series?match[]=up";
    for asked in [admin, "http://127.0.0.1:2019/config/", "http://127.0.0.1:2020/config/", delete] {
        let line = format!("curl -sfg --max-time 5 '{}", asked.replacen(' ', "' ", 1));
        let line = if asked.contains(' ') { line } else { format!("{line}'") };
        let said =
            scene.frame1.command(["runuser", "-u", "nobody", "--", "sh", "-c", &line]).run()?;
        ensure!(said.code != 0, "nobody was answered {asked}: {}", said.stdout);
    }
    scene.frame1.sh("systemctl reload caddy.service")?;
    Ok(())
}

/// A visitor can neither set the headers that belong to the login, nor send anything but read
/// requests.
fn visitors(scene: &Scene) -> Result<()> {
    let ask = |site: &str, rest: &str| {
        scene.frame1.sh(&format!(
            "curl -sk --path-as-is --resolve {site}:443:127.0.0.1 'https://{site}{rest}"
        ))
    };
    for path in ["/", "/open/x"] {
        let forged = "-H 'Remote-User: root' -H 'Remote_Groups: wheel'";
        let said = ask("inner.local.kaifer.dev", &format!("{path}' {forged}"))?;
        ensure!(said == path, "{path} was asked for with forged headers, and it came: {said}");
    }
    for path in
        ["/api/v1/import", "/api/v1/admin/tsdb/delete_series", "/vmui/..%2fwrite", "/-/reload"]
    {
        let status =
            ask("metrics.local.kaifer.dev", &format!("{path}' -o /dev/null -w '%{{http_code}}'"))?;
        ensure!(status == "403", "{path} of the metrics was answered with {status}");
    }
    let read = ask("metrics.local.kaifer.dev", "/api/v1/query?query=up'")?;
    ensure!(read.contains("success"), "the metrics cannot be read: {read}");
    Ok(())
}

/// The builder's key speaks Nix's protocol and cannot run a command.
fn builders(scene: &Scene) -> Result<()> {
    let ssh = format!("ssh -i {BUILDER} -o IdentitiesOnly=yes -o BatchMode=yes");
    let asked = format!("{ssh} builder@frame1 'id; touch /tmp/by-builder' < /dev/null");
    let said = scene.mac.command(["sh", "-c", &asked]).run()?;
    ensure!(!said.stdout.contains("uid="), "the builder's key ran a command: {}", said.stdout);
    let touched = scene.frame1.command(["test", "-e", "/tmp/by-builder"]).run()?;
    ensure!(touched.code != 0, "the builder's key ran a command");
    forwards_nothing(scene, &format!("{ssh} -W 127.0.0.1:8428 builder@frame1"))?;
    for refused in ["-tt", "-s sftp"] {
        let asked = format!("{ssh} {refused} builder@frame1 id < /dev/null");
        let said = scene.mac.command(["timeout", "20", "sh", "-c", &asked]).run()?;
        ensure!(!said.stdout.contains("uid="), "ssh {refused} ran a command: {}", said.stdout);
    }
    let store = format!("ssh-ng://builder@frame1?ssh-key={BUILDER}");
    scene.mac.sh(&format!("nix store ping --store '{store}'"))?;
    Ok(())
}

/// The deploy user's key starts the agent as root and nothing else. It has no terminal and cannot
/// reach the machine's own ports.
fn deployers(scene: &Scene) -> Result<()> {
    const AGENT: &str = "/run/current-system/sw/bin/deploy-agent";
    let run = |options: &str, command: &str| {
        let ssh = format!("ssh -i {DEPLOYER} -o IdentitiesOnly=yes -o BatchMode=yes {options}");
        let line = format!("{ssh} deploy@frame1 '{command}' < /dev/null");
        scene.mac.command(["timeout", "20", "sh", "-c", &line]).run()
    };
    let served = run("", &format!("sudo -n {AGENT} serve"))?;
    ensure!(!served.stderr.contains("sudo:"), "the agent was not started: {}", served.stderr);
    for command in ["id", "sh -c id", &format!("{AGENT} boot"), &format!("{AGENT} serve --x")] {
        let said = run("", &format!("sudo -n {command}"))?;
        let refused = ["a password is required", "not allowed"];
        let refused = said.code == 1 && refused.iter().any(|why| said.stderr.contains(why));
        ensure!(refused, "sudo {command}: {said:?}");
    }
    let said = run("-tt", "tty")?;
    ensure!(!said.stdout.contains("/dev/pts"), "it got a terminal: {}", said.stdout);
    let ssh = format!("ssh -i {DEPLOYER} -o IdentitiesOnly=yes -o BatchMode=yes");
    forwards_nothing(scene, &format!("{ssh} -W 127.0.0.1:8428 deploy@frame1"))
}

/// sshd itself refuses to forward a port of the machine.
fn forwards_nothing(scene: &Scene, ssh: &str) -> Result<()> {
    let said =
        scene.mac.command(["timeout", "20", "sh", "-c", &format!("{ssh} < /dev/null")]).run()?;
    let refused = said.code != 0 && said.stderr.contains("administratively prohibited");
    ensure!(refused, "it was let through to the machine's own ports: {said:?}");
    Ok(())
}
