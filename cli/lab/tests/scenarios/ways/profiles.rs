//! Profiles of other users, and custom ones. They are activated after the system and rolled back
//! with it.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::{Admission, Lab, Running, wait};
use deploy_lab::systems::Generation;

use super::write_flake;
use crate::harness::Scenario;
use crate::scene::{ANSWERS, Said, Scene, end};

pub const ALL: &[Scenario] = &[
    Scenario::new("profiles-of-root-and-of-a-user-are-deployed-after-the-system", deployed),
    Scenario::new("a-profile-of-a-user-runs-as-that-user-alone", as_its_user),
    Scenario::new("a-profile-that-fails-goes-back-with-the-system", fails),
    Scenario::new("a-profile-that-does-not-end-goes-back-with-the-system", hangs),
    Scenario::new("profiles-go-back-when-the-new-login-does-not-come", no_login),
    Scenario::new("a-killed-operator-leaves-no-profile-that-nobody-confirmed", operator_killed),
    Scenario::new("an-agent-killed-while-it-activates-a-profile-goes-on", agent_killed),
    Scenario::new("a-power-cut-while-waiting-sets-a-profile-back", power_cut),
    Scenario::new("a-system-that-goes-back-takes-its-profiles-back", system_fails),
    Scenario::new("a-node-with-a-profile-alone-is-deployed", alone),
    Scenario::new("a-profile-of-a-user-that-the-system-brings-is-deployed", new_user),
    Scenario::new("boot-and-test-leave-profiles-alone", systems_alone),
    Scenario::new("garbage-collected-during-an-activation-takes-no-profile-away", garbage),
];

/// The file to which the activations write their user and version.
const HOME: &str = "/home/admin/said";
const API: &str = "/root/said";
/// The activation of `home` does not end while this file exists.
const HOLD: &str = "/run/hold-home";

/// The versions of the flake's profiles. Each activation records its version.
struct Profiles {
    home: u32,
    api: u32,
    /// An additional command in the activation of `api`.
    api_does: &'static str,
    node: &'static str,
    with_system: bool,
}

impl Default for Profiles {
    fn default() -> Self {
        Self { home: 1, api: 1, api_does: "", node: "", with_system: true }
    }
}

impl Profiles {
    fn write(&self, scene: &Scene, system: Generation) -> Result<()> {
        let Self { home, api, api_does, node, with_system } = self;
        scene.wants(system)?;
        let system = if *with_system { "system.path = activatable { } frame1;" } else { "" };
        let api = format!(
            r#"api.path = profile "api" "{api}" ''
                 {{ cat $PROFILE/version; id -un; echo $PROFILE $DRY_ACTIVATE $BOOT; }} > {API}
                 {api_does}
               '';"#
        );
        let home = format!(
            r#"home = {{
                 user = "admin";
                 path = profile "home" "{home}" ''
                   {{
                     cat version; id -un; id -Gn; echo $HOME $PROFILE
                     grep -E 'NoNewPrivs|CapBnd' /proc/self/status
                     nix-env --profile $HOME/own --set $(readlink -f $PROFILE)
                     readlink -f $HOME/own
                   }} > $HOME/said
                   while [ -e {HOLD} ]; do sleep 0.1; done
                 '';
               }};"#
        );
        write_flake(
            &scene.mac,
            &format!(
                r#"{{
  outputs = {{ self }}: let
    file = builtins.readFile ./machines/frame1.json;
    frame1 = import ./systems/nixos.nix (builtins.fromJSON file).generation;
    activatable = import ./systems/deploy-rs.nix;
    profile = name: version: script: activatable {{ inherit script; }} {{
      config.boot.loader.systemd-boot.enable = false;
      config.system.build.toplevel = derivation {{
        inherit name;
        system = "x86_64-linux";
        builder = "/bin/sh";
        PATH = "/usr/bin:/bin";
        args = [ "-c" "mkdir $out; echo ${{version}} > $out/version" ];
      }};
    }};
  in {{
    nixosConfigurations.frame1 = frame1;
    deploy.nodes.frame1 = {{
      hostname = "frame1";
      sshUser = "root";
      confirmTimeout = 20;
      profilesOrder = [ "home" "api" ];
      profiles = {{ {system} {home} {api} }};
      {node}
    }};
  }};
}}
"#
            ),
        )
    }
}

fn generation(number: u32) -> Generation {
    Generation::new("frame1", number)
}

/// The version that an activation recorded.
fn said(scene: &Scene, file: &str) -> Result<String> {
    scene.frame1.sh(&format!("head -n 1 {file} 2>/dev/null || :"))
}

/// The version that a profile's link names.
fn linked(scene: &Scene, user: &str, name: &str) -> Result<String> {
    let state = "/home/admin/.local/state/nix/profiles";
    let link = match user {
        "root" => format!("/nix/var/nix/profiles/per-user/root/{name}"),
        _ => format!("{state}/{name}"),
    };
    scene.frame1.sh(&format!("cat {link}/version 2>/dev/null || echo none"))
}

/// Checks the versions of both profiles, by their links and by the last activation.
fn are_on(scene: &Scene, home: &str, api: &str) -> Result<()> {
    let links = (linked(scene, "admin", "home")?, linked(scene, "root", "api")?);
    ensure!(links == (home.into(), api.into()), "the links name {links:?}");
    let done = (said(scene, HOME)?, said(scene, API)?);
    ensure!(done == (home.into(), api.into()), "what was activated last is {done:?}");
    Ok(())
}

/// A machine with generation 1 of its system and of both profiles.
fn first(lab: &mut Lab) -> Result<Scene> {
    let scene = Scene::new(lab)?;
    Profiles::default().write(&scene, generation(1))?;
    scene.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    are_on(&scene, "1", "1")?;
    Ok(scene)
}

/// A deploy of version 2 of both that waits for a login. No new connection is let through.
fn waits(scene: &Scene) -> Result<Running> {
    Profiles { home: 2, api: 2, ..Profiles::default() }.write(scene, generation(2))?;
    scene.frame1.sh(&format!("touch {HOLD}"))?;
    let running = scene.begin("frame1")?;
    wait::until("home is activated", Duration::from_secs(120), || Ok(said(scene, HOME)? == "2"))?;
    scene.frame1.admit(Admission::OldOnly)?;
    scene.frame1.sh(&format!("rm {HOLD}"))?;
    is_in(scene, "waiting")?;
    are_on(scene, "2", "2")?;
    Ok(running)
}

fn is_in(scene: &Scene, phase: &str) -> Result<()> {
    let word = format!("\"phase\":\"{phase}\"");
    wait::until(&format!("it is {phase}"), Duration::from_secs(120), || {
        let record = scene.frame1.read("/nix/var/deploy-agent/attempt.json")?;
        Ok(record.replace([' ', '\n'], "").contains(&word))
    })
}

fn deployed(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    Profiles { home: 1, api: 1, ..Profiles::default() }.write(&scene, generation(2))?;
    let both = ["profile `home` of admin", "profile `api` of root"];
    scene.deploy("plan frame1")?.ends(
        0,
        &[
            "profile `home` of admin: would be activated; no health checks",
            "profile `api` of root: would be activated; no health checks",
        ],
    )?;
    scene.deploy("frame1")?.ends(
        0,
        &[
            "frame1:   profile `home` of admin is activated: no health checks",
            "frame1: committed generation 2",
            "profile `api` of root is activated; it has no health checks",
        ],
    )?;
    are_on(&scene, "1", "1")?;
    let system = scene.wanted()?;
    ensure!(scene.runs()? == system, "the system was not switched to");
    let api = scene.frame1.sh(&format!("cat {API}"))?;
    ensure!(api == "1\nroot\n/nix/var/nix/profiles/per-user/root/api 0 0", "{api}");
    scene.deploy("frame1")?.ends(0, &["frame1: already up to date"])?;
    scene.deploy(".#frame1.home")?.ends(0, &["frame1: already up to date: profile `home`"])?;
    scene.deploy("status frame1")?.ends(0, &[&format!("{}: /nix/store", both[0])])?;

    // Deploys one profile alone. The flake's other profile and system differ, but are not touched.
    Profiles { home: 2, api: 2, ..Profiles::default() }.write(&scene, generation(3))?;
    let alone = scene.deploy(".#frame1.home")?;
    alone.ends(0, &["frame1: committed: profile `home` of admin; the system stays"])?;
    are_on(&scene, "2", "1")?;
    ensure!(scene.runs()? == system, "the system was switched");
    scene.deploy("frame1.api frame1.home")?.ends(0, &["frame1: committed: profile `api`"])?;
    are_on(&scene, "2", "2")?;
    scene.deploy("frame1")?.ends(0, &["frame1: committed generation 3"])?;
    scene.deploy("frame1 --json")?.ends(0, &["\"profiles\":[\"profile `home` of admin\""])?;
    scene.ends_on(&scene.wanted()?)?;
    are_on(&scene, "2", "2")
}

fn as_its_user(lab: &mut Lab) -> Result<()> {
    let scene = first(lab)?;
    let home = scene.frame1.sh(&format!("cat {HOME}"))?;
    let lines: Vec<&str> = home.lines().collect();
    ensure!(lines[1] == "admin", "it ran as {home}");
    ensure!(!lines[2].split(' ').any(|group| group == "root"), "it has root's group: {home}");
    ensure!(lines[2].contains("nix-users"), "it has not its own groups: {home}");
    let link = "/home/admin/.local/state/nix/profiles/home";
    ensure!(lines[3] == format!("/home/admin {link}"), "{home}");
    let owner = scene.frame1.sh(&format!("stat -c %U {link} {link}-1-link {HOME}"))?;
    ensure!(owner == "admin\nadmin\nadmin", "{owner}");
    // The activation is as unrestricted as a login of the user: home-manager's starts nix-env and
    // more.
    let free =
        scene.frame1.sh("runuser -u admin -- grep -E 'NoNewPrivs|CapBnd' /proc/self/status")?;
    ensure!(lines[4..6].join("\n") == free, "it ran with {home}, a login has {free}");
    let own = scene.frame1.sh(&format!("readlink -f {link}"))?;
    ensure!(lines[6] == own, "its own profile names {home}, not {own}");
    Ok(())
}

/// Deploys version 2 of everything, with a fault in the last activation.
fn goes_back(scene: &Scene, bad: Profiles, why: &str) -> Result<Said> {
    let before = scene.runs()?;
    bad.write(scene, generation(2))?;
    let said = scene.deploy("frame1")?;
    said.ends(
        3,
        &["frame1 was rolled back", why, "profile `home` of admin is back on generation 1"],
    )?;
    are_on(scene, "1", "1")?;
    ensure!(scene.runs()? == before, "the system did not go back");
    // No generation of the unconfirmed version stays.
    let made = "ls /nix/var/nix/profiles/per-user/root/ | grep -c '^api-2-link$' || :";
    ensure!(scene.frame1.sh(made)? == "0", "the generation of api stays");
    Ok(said)
}

fn fails(lab: &mut Lab) -> Result<()> {
    let scene = first(lab)?;
    let bad = || Profiles { home: 2, api: 2, api_does: "exit 3", ..Profiles::default() };
    let why = "profile `api` of root: its activation failed: it ended with status 3";
    goes_back(&scene, bad(), why)?;
    // The same with the profile alone, without the system.
    let alone = scene.deploy("frame1.api")?;
    alone.ends(3, &[why, "profile `api` of root is back on generation 1"])?;
    are_on(&scene, "1", "1")?;
    // The control: without the fault the deploy commits.
    Profiles { home: 2, api: 2, ..Profiles::default() }.write(&scene, generation(2))?;
    scene.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    are_on(&scene, "2", "2")
}

fn hangs(lab: &mut Lab) -> Result<()> {
    let scene = first(lab)?;
    let (api_does, node) = ("sleep 600 & sleep 600", "activationTimeout = 30;");
    let bad = Profiles { home: 2, api: 2, api_does, node, ..Profiles::default() };
    let why = "profile `api` of root: its activation did not end within 30 s";
    goes_back(&scene, bad, why)?;
    let left = scene.frame1.sh("pgrep -fc '^sleep 600' || :")?;
    ensure!(left == "0", "{left} processes of the activation are left");
    Ok(())
}

fn no_login(lab: &mut Lab) -> Result<()> {
    let scene = first(lab)?;
    let before = scene.runs()?;
    let running = waits(&scene)?;
    let said = end(running)?;
    scene.frame1.admit(Admission::All)?;
    said.ends(3, &["no new SSH login confirmed", "profile `api` of root is back on generation 1"])?;
    are_on(&scene, "1", "1")?;
    scene.ends_on(&before)?;
    are_on(&scene, "1", "1")
}

fn operator_killed(lab: &mut Lab) -> Result<()> {
    let scene = first(lab)?;
    let before = scene.runs()?;
    let mut running = waits(&scene)?;
    running.kill()?;
    is_in(&scene, "ended")?;
    scene.frame1.admit(Admission::All)?;
    are_on(&scene, "1", "1")?;
    scene.deploy("status frame1")?.ends(0, &["rolled back: no new SSH login confirmed"])?;
    scene.ends_on(&before)
}

/// A deploy that is held in the activation of the first profile.
fn held_in_home(scene: &Scene) -> Result<Running> {
    Profiles { home: 2, api: 2, ..Profiles::default() }.write(scene, generation(2))?;
    scene.frame1.sh(&format!("touch {HOLD}"))?;
    let running = scene.begin("frame1")?;
    wait::until("home is activated", Duration::from_secs(120), || Ok(said(scene, HOME)? == "2"))?;
    Ok(running)
}

fn agent_killed(lab: &mut Lab) -> Result<()> {
    let scene = first(lab)?;
    let running = held_in_home(&scene)?;
    scene.frame1.sh("systemctl kill --signal=KILL 'deploy-agent-*.service'")?;
    scene.frame1.sh(&format!("rm {HOLD}"))?;
    end(running)?.ends(0, &["frame1: committed generation 2"])?;
    are_on(&scene, "2", "2")?;
    scene.ends_on(&scene.wanted()?)
}

/// No link names a later profile yet, so only the attempt protects it from garbage collection.
fn garbage(lab: &mut Lab) -> Result<()> {
    let scene = first(lab)?;
    let running = held_in_home(&scene)?;
    scene.frame1.sh("nix-collect-garbage")?;
    scene.frame1.sh(&format!("rm {HOLD}"))?;
    end(running)?.ends(0, &["frame1: committed generation 2"])?;
    are_on(&scene, "2", "2")
}

fn power_cut(lab: &mut Lab) -> Result<()> {
    let scene = first(lab)?;
    let before = scene.runs()?;
    let running = waits(&scene)?;
    scene.frame1.power_cut_and_boot()?;
    scene.frame1.admit(Admission::All)?;
    scene.frame1.wait_for_ssh(ANSWERS)?;
    // The next process finishes the attempt: the agent of our module at boot, or a login as here.
    let why = "the machine was restarted before the confirmation";
    let back = "profile `api` of root is back on generation 1";
    end(running)?.ends(3, &["frame1 was rolled back", why, back])?;
    scene.deploy("status frame1")?.ends(0, &["rolled back", why])?;
    are_on(&scene, "1", "1")?;
    ensure!(scene.runs()? == before, "it runs {}", scene.runs()?);
    scene.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    are_on(&scene, "2", "2")?;
    // A confirmed version survives every power cut.
    scene.ends_on(&scene.wanted()?)?;
    are_on(&scene, "2", "2")
}

/// The profiles are healthy, but a check of the system fails.
fn system_fails(lab: &mut Lab) -> Result<()> {
    let scene = first(lab)?;
    let node = r#"checks = [ {
        name = "shut"; service = "shut"; level = "required"; grace = 2;
        kind = { type = "tcp"; address = "127.0.0.1"; port = 1; };
    } ];"#;
    let bad = Profiles { home: 2, api: 2, node, ..Profiles::default() };
    goes_back(&scene, bad, "check shut fails").map(drop)
}

fn alone(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let system = scene.runs()?;
    let with = |version, api_does| Profiles {
        home: version,
        api: version,
        api_does,
        with_system: false,
        ..Profiles::default()
    };
    // The first version of a profile, with nothing to go back to.
    with(1, "exit 3").write(&scene, generation(2))?;
    scene
        .deploy("frame1")?
        .ends(3, &["profile `home` of admin is new: what its activation did"])?;
    let links = (linked(&scene, "admin", "home")?, linked(&scene, "root", "api")?);
    ensure!(links == ("none".into(), "none".into()), "the links name {links:?}");
    with(1, "").write(&scene, generation(2))?;
    let said = scene.deploy("frame1")?;
    said.ends(0, &["frame1: committed: profile `home` of admin, profile `api` of root"])?;
    are_on(&scene, "1", "1")?;
    scene.deploy("--yes .")?.ends(0, &["frame1: already up to date: profile `home` of admin"])?;
    with(2, "exit 3").write(&scene, generation(2))?;
    scene.deploy("frame1")?.ends(3, &["profile `home` of admin is back on generation"])?;
    are_on(&scene, "1", "1")?;
    scene.deploy("rollback frame1")?.ends(1, &["frame1 has no system to go back to here"])?;
    scene.ends_on(&system)
}

fn new_user(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    Profiles::default().write(&scene, generation(2).user("joe"))?;
    let flake = scene.mac.read("/root/fleet/flake.nix")?;
    write_flake(&scene.mac, &flake.replace("user = \"admin\"", "user = \"joe\""))?;
    let refused = scene.deploy("frame1.home")?;
    refused.ends(1, &["profile `home` of joe on frame1 cannot be deployed", "has no user joe"])?;
    scene.deploy("frame1")?.ends(0, &["frame1: committed generation 2"])?;
    let owner = scene.frame1.sh("sed -n 2p ~joe/said")?;
    ensure!(owner == "joe", "it ran as {owner}");
    scene.deploy("frame1")?.ends(0, &["frame1: already up to date"])
}

fn systems_alone(lab: &mut Lab) -> Result<()> {
    let scene = first(lab)?;
    Profiles { home: 2, api: 2, ..Profiles::default() }.write(&scene, generation(2))?;
    let stay = "profile `home` of admin, profile `api` of root not deployed: ";
    for flag in ["--test", "--boot", "--dry-activate"] {
        let told = format!("{stay}{flag} is about systems");
        scene.deploy(&format!("frame1 {flag}"))?.ends(0, &[&told])?;
        are_on(&scene, "1", "1")?;
        let alone = scene.deploy(&format!("frame1.home {flag}"))?;
        alone.ends(1, &["profile `home` of admin on frame1 cannot be deployed so"])?;
    }
    let said = scene.deploy("rollback frame1 --to 1")?;
    said.ends(0, &["frame1: profile `home` of admin, profile `api` of root each stay as it is"])?;
    are_on(&scene, "1", "1")
}
