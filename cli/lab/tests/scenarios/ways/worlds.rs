//! Login shells and ssh_config settings of other people.

use anyhow::{Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::systems::{Fleet, Generation};

use super::runs_generation;
use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] = &[
    Scenario::new("every-login-shell-deploys", shells),
    Scenario::new("doas-and-sudo-rs-deploy", to_root),
    Scenario::new("an-ssh-config-full-of-traps-changes-nothing", config),
];

/// Common login shells, and the user who deploys a system with each. For the others a login is
/// enough, because they parse quotes alike.
const SHELLS: [(&str, Option<&str>); 6] = [
    ("bash", None),
    ("dash", None),
    ("ksh93", None),
    ("zsh", None),
    ("fish", Some("root")),
    ("tcsh", Some("admin")),
];

fn shells(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let mut number = 1;
    scene.wants(Generation::new("frame1", number))?;
    for (shell, deploys) in SHELLS {
        let change =
            format!("for user in root admin; do usermod --shell /usr/bin/{shell} $user; done");
        scene.frame1.sh(&change)?;
        if let Some(user) = deploys {
            number += 1;
            let system = Generation::new("frame1", number).ballast(1);
            scene.has(Fleet::of("frame1", system).node("frame1", "sshUser", user))?;
            scene.deploy("frame1")?.ends(0, &["committed"])?;
            runs_generation(&scene.frame1, number)?;
        }
        scene.deploy("status frame1 --ssh-user root")?.ends(0, &["runs"])?;
        scene.deploy("status frame1 --ssh-user admin")?.ends(0, &["runs"])?;
    }
    Ok(())
}

/// deploy-rs's command for each tool. With a password, sudo-rs would swallow the next input.
fn to_root(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene
        .frame1
        .sh("echo 'permit nopass admin as root' > /etc/doas.conf; chmod 0400 /etc/doas.conf")?;
    let system = Generation::new("frame1", 2).ballast(1);
    let fleet = Fleet::of("frame1", system).node("frame1", "sshUser", "admin");
    scene.has(fleet.node("frame1", "sudo", "doas -u"))?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    runs_generation(&scene.frame1, 2)?;
    for sudo in ["sudo -H --user", "sudo -u", "sudo-rs -u", "sudo-rs"] {
        let plan = scene.deploy(&format!("frame1 --sudo '{sudo}'"))?;
        plan.ends(0, &["already up to date"])?;
    }
    // On NixOS sudo-rs is called sudo.
    scene.frame1.sh("mkdir -p /opt/rs; ln -s /usr/bin/sudo-rs /opt/rs/sudo")?;
    for sudo in ["sudo-rs", "/opt/rs/sudo"] {
        let args = format!("frame1 --ssh-user askadmin --ask-sudo-password --sudo {sudo}");
        let refused = scene.deploy(&args)?;
        refused.ends(1, &["sudo-rs wants a password and cannot be given one"])?;
    }
    Ok(())
}

/// Each of these settings alone made a deploy fail, hang or roll back, or forwarded something.
pub const CONFIG: &str = "Host *
  LocalForward 8080 localhost:80
  RemoteForward 8081 localhost:80
  DynamicForward 8082
  ExitOnForwardFailure yes
  RemoteCommand tmux attach
  RequestTTY force
  StdinNull yes
  SessionType none
  ForkAfterAuthentication yes
  ChannelTimeout session=1s
  PermitLocalCommand yes
  LocalCommand echo local noise
  LogLevel QUIET
  ControlMaster auto
  ControlPath /root/.ssh/master-%C
  ControlPersist 10m
  ForwardAgent yes
  ForwardX11 yes
  Tunnel yes
  VisualHostKey yes
  SetEnv LC_ALL=de_DE.UTF-8 LANGUAGE=de
";

fn config(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.mac.write("/root/.ssh/config", CONFIG, 0o600)?;
    let system = Generation::new("frame1", 2).ballast(1);
    // The first address is dead. With `LogLevel QUIET` ssh would not report it.
    let ssh = serde_json::json!({ "hostname": "10.77.9.9", "addresses": ["frame1"] });
    scene.has(Fleet::of("frame1", system).node("frame1", "ssh", ssh))?;
    let said = scene.deploy("frame1 --ssh-opts '-tt -o ConnectTimeout=1'")?;
    said.ends(0, &["committed", "-t in the ssh options of the machine is left out: "])?;
    ensure!(!said.text.contains("local noise"), "{}", said.text);
    runs_generation(&scene.frame1, 2)?;
    let masters = scene.mac.sh("ls /root/.ssh | grep -c master || :")?;
    ensure!(masters == "0", "{masters} of the user's masters");
    let refused = "deploy frame1 --ssh-opts '-o ProxyCommand=nc HOST 9'";
    let refused = scene.deploy(refused.trim_start_matches("deploy "))?;
    refused.ends(1, &["`HOST` in the ssh options of the machine is no option of ssh"])
}
