//! The flakes that `deploy` accepts.

use anyhow::{Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::systems::{FOLDER, Fleet, Generation};

use super::{commit, runs_generation, second, write_flake};
use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] = &[
    Scenario::new("a-flake-written-for-deploy-rs-is-deployed-unchanged", deploy_rs),
    Scenario::new("a-plain-nixos-configuration-is-deployed", plain),
    Scenario::new("a-node-in-the-names-of-machine-json-is-deployed", own_schema),
    Scenario::new("machines-are-named-in-each-documented-way", names),
];

/// The beginning of a flake whose `frame1` is the machine in machines/frame1.json.
fn with(outputs: &str) -> String {
    format!(
        "{{\n  outputs = {{ self }}: let\n    file = builtins.readFile ./machines/frame1.json;\n    \
         frame1 = import ./systems/nixos.nix (builtins.fromJSON file).generation;\n  \
         in {{ nixosConfigurations.frame1 = frame1; }} // {{ {outputs} }};\n}}\n"
    )
}

/// Every setting of deploy-rs, each at a level at which deploy-rs reads it.
fn deploy_rs(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.wants(second())?;
    write_flake(
        &scene.mac,
        &with(
            r#"deploy = {
                 sshOpts = [ "-o" "ServerAliveInterval=7" ];
                 fastConnection = true;
                 autoRollback = true;
                 magicRollback = true;
                 tempPath = "/tmp";
                 nodes.frame1 = {
                   hostname = "10.77.0.11";
                   sshUser = "admin";
                   sudo = "sudo -u";
                   interactiveSudo = false;
                   confirmTimeout = 20;
                   remoteBuild = false;
                   profilesOrder = [ "system" ];
                   profiles.system = {
                     user = "root";
                     activationTimeout = 200;
                     profilePath = "/nix/var/nix/profiles/system";
                     path = import ./systems/deploy-rs.nix { } frame1;
                   };
                 };
               };"#,
        ),
    )?;
    let wanted = scene.wanted()?;
    let said = scene.deploy(".#frame1.system --skip-checks --auto-rollback true")?;
    said.ends(0, &["committed", "--skip-checks"])?;
    ensure!(!said.text.contains("is no option"), "{}", said.text);
    scene.deploy(".#frame1")?.ends(0, &["already up to date"])?;
    scene.ends_on(&wanted)
}

fn plain(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.wants(second())?;
    write_flake(&scene.mac, &with(""))?;
    let wanted = scene.wanted()?;
    let args = "frame1 --hostname 10.77.0.11 --ssh-user admin";
    scene.deploy(args)?.ends(0, &["committed"])?;
    scene.deploy(args)?.ends(0, &["already up to date"])?;
    scene.ends_on(&wanted)
}

fn own_schema(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.wants(second())?;
    write_flake(
        &scene.mac,
        &with(
            r#"deploy.nodes.frame1 = {
                 toplevel = frame1.config.system.build.toplevel;
                 tags = [ "web" ];
                 ssh = { hostname = "nowhere.invalid"; addresses = [ "10.77.0.11" ]; user = "admin"; };
                 sudo = { command = [ "sudo" ]; ask = false; };
                 build.where = "local";
                 push.compress = 3;
                 confirm.timeout = 25;
                 timeouts.activation = 100;
                 units = { watch = 2; };
                 checks = [ {
                   name = "ssh-answers"; service = "sshd"; level = "required"; grace = 10;
                   kind = { type = "tcp"; address = "127.0.0.1"; port = 22; };
                 } ];
                 colour = "blue";
               };"#,
        ),
    )?;
    let wanted = scene.wanted()?;
    let said = scene.deploy("frame1")?;
    said.ends(0, &["committed", "ssh-answers", "`deploy.nodes.frame1.colour` is no option"])?;
    ensure!(!said.text.contains("no new login at"), "the dead address again:\n{}", said.text);
    scene.deploy("frame1")?.ends(0, &["already up to date"])?;
    scene.ends_on(&wanted)
}

fn names(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.wants(second())?;
    let from = |folder: &str, args: &str| -> Result<crate::scene::Said> {
        let script = format!("cd {folder} && exec {} {args}", deploy_lab::hosts::programs::DEPLOY);
        Ok(crate::scene::Said::of(&scene.mac.command(["sh", "-c", &script]).run()?))
    };
    from(FOLDER, "frame1")?.ends(0, &["committed"])?;
    for (folder, word) in [
        (FOLDER, ".#frame1"),
        (FOLDER, "'#frame1'"),
        (FOLDER, "--targets .#frame1 --"),
        (FOLDER, ".#frame1.system"),
        ("/root", "fleet#frame1"),
        ("/", "root/fleet#frame1"),
        ("/tmp", "/root/fleet#frame1"),
        ("/tmp", "git+file:///root/fleet#frame1"),
    ] {
        from(folder, word)?.ends(0, &["frame1: already up to date"])?;
    }
    // A folder without git, and a machine whose name has a dot or is that of a command.
    scene.mac.sh(&format!("cp -r {FOLDER} /root/loose; rm -rf /root/loose/.git"))?;
    from("/root", "path:/root/loose#frame1")?.ends(0, &["already up to date"])?;
    let dotted = ["status", "frame1.lan"].into_iter().fold(Fleet::default(), |fleet, name| {
        let generation = Generation::new("frame1", 2);
        fleet.machine(name, generation).node(name, "hostname", "frame1")
    });
    scene.has(dotted)?;
    commit(&scene.mac).ok();
    for word in [".#status", "'.#\"frame1.lan\"'", ".#frame1.lan.system"] {
        let said = from(FOLDER, &format!("{word} --accept-name frame1"))?;
        said.ends(0, &["already up to date"])?;
    }
    runs_generation(&scene.frame1, 2)
}
