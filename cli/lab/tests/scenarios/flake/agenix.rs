//! Secrets by agenix on real NixOS, from the first one to a key that was replaced. The activation is
//! that of agenix's module and of this repository's.

use anyhow::{Result, ensure};
use deploy_lab::hosts::programs::DEPLOY;
use deploy_lab::hosts::{Lab, access};
use deploy_lab::systems::{AgenixFleet, FOLDER, HOMELAB, Module, REAL, RealFleet};

use super::passed_checks;
use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] = &[
    Scenario::new("a-secret-from-the-first-one-to-the-rollback-of-a-change-on-real-nixos", lives)
        .unless(missing),
    Scenario::new("a-secret-for-another-key-or-a-replaced-key-is-refused-on-real-nixos", keys)
        .unless(missing),
    Scenario::new("a-secret-that-is-gone-after-the-switch-goes-back-on-real-nixos", gone)
        .unless(missing),
    Scenario::new("a-recipient-that-is-removed-reads-no-secret-that-is-rotated", rotated)
        .unless(missing),
    Scenario::new("a-plain-flake-with-agenix-has-its-secrets-checked-on-real-nixos", plain)
        .unless(missing),
];

pub fn missing() -> Option<String> {
    REAL.missing().or_else(|| HOMELAB.missing())
}

/// A scene with secrets.
pub struct Sealed(pub Scene);

impl Sealed {
    /// `frame1` runs a system with these secrets, which made themselves.
    pub fn deployed<S: AsRef<str>>(lab: &mut Lab, secrets: &[S]) -> Result<Self> {
        let sealed = Self(Scene::of(lab, &REAL)?);
        sealed.has(&AgenixFleet::new(2, secrets))?;
        sealed.make()?;
        sealed.0.deploy("frame1")?.ends(0, &["frame1: committed"])?;
        Ok(sealed)
    }

    pub fn has(&self, fleet: &AgenixFleet) -> Result<()> {
        fleet.write(&self.0.mac, &self.0.frame1)
    }

    /// Makes all secrets that the machine lacks.
    pub fn make(&self) -> Result<()> {
        self.0.deploy("secrets new frame1 --generate")?.ends(0, &[])?;
        self.commit()
    }

    /// Runs a script in the flake's folder and commits what it did.
    pub fn edit(&self, script: &str) -> Result<()> {
        self.0.mac.sh(&format!("cd {FOLDER}; {script}"))?;
        self.commit()
    }

    fn commit(&self) -> Result<()> {
        self.0.mac.sh(&format!(
            "cd {FOLDER}; git add --all; \
             git -c user.name=operator -c user.email=operator@mac commit -q -m secrets"
        ))?;
        Ok(())
    }

    /// The clear text of a secret on the machine.
    pub fn on_frame1(&self, name: &str) -> Result<String> {
        self.0.frame1.sh(&format!("cat /run/agenix/{name}"))
    }

    /// What `reader` has read, by its hash.
    fn was_read(&self, name: &str) -> Result<bool> {
        let script = format!(
            "sha256sum < /run/agenix/{name} | cmp -s - /run/reader/{name} && echo same || :"
        );
        Ok(self.0.frame1.sh(&script)? == "same")
    }

    fn invocation(&self, unit: &str) -> Result<String> {
        self.0.frame1.sh(&format!("systemctl show -P InvocationID {unit}"))
    }

    /// What must not change where a deploy is refused.
    fn state(&self) -> Result<String> {
        self.0.frame1.sh("readlink /run/current-system /run/agenix; cat /run/agenix/*; \
             systemctl show -P InvocationID reader")
    }
}

fn lives(lab: &mut Lab) -> Result<()> {
    let sealed = Sealed(Scene::of(lab, &REAL)?);
    let scene = &sealed.0;
    sealed.has(&AgenixFleet::new(2, ["token"]))?;
    scene.deploy("frame1")?.ends(1, &["a secret of frame1 was never made"])?;
    sealed.make()?;
    scene.deploy("plan frame1")?.ends(0, &["new secrets: token"])?;
    let said = scene.deploy("frame1 --json")?;
    said.ends(0, &[])?;
    ensure!(passed_checks(&said.text).contains("secret.token"), "not checked: {}", said.text);
    let shown = scene.mac.sh(&format!("cd {FOLDER}; {DEPLOY} secrets show token"))?;
    let first = sealed.on_frame1("token")?;
    ensure!(first == shown && first.len() == 20, "`{first}` is not `{shown}`");
    let is = scene.frame1.sh("stat -Lc '%a %U %G' /run/agenix/token")?;
    ensure!(is == "440 reader reader", "{is}");
    ensure!(sealed.was_read("token")?, "the service has not read it");
    scene.deploy("status frame1")?.ends(0, &["runs: "])?;

    let before = (sealed.invocation("reader")?, sealed.invocation("other")?);
    sealed.edit(&format!("printf another-word | {DEPLOY} secrets edit token"))?;
    scene.deploy("status frame1")?.ends(0, &["secrets:   older than in the flake: token"])?;
    let restarts = "changed secrets: token (restarts reader.service)";
    scene.deploy("plan frame1")?.ends(0, &[restarts])?;
    scene.deploy("frame1")?.ends(0, &[restarts, "frame1: committed"])?;
    ensure!(sealed.on_frame1("token")? == "another-word", "it was not replaced");
    ensure!(sealed.was_read("token")?, "reader was not restarted behind the change");
    let after = (sealed.invocation("reader")?, sealed.invocation("other")?);
    ensure!(before.0 != after.0 && before.1 == after.1, "{before:?} {after:?}");
    let said = scene.deploy("status frame1")?;
    ensure!(!said.text.contains("secrets:"), "{}", said.text);

    scene.deploy("rollback frame1")?.ends(0, &["frame1: committed"])?;
    ensure!(sealed.on_frame1("token")? == first, "the rollback has not brought it back");
    ensure!(sealed.was_read("token")?, "reader was not restarted behind the rollback");
    Ok(())
}

fn keys(lab: &mut Lab) -> Result<()> {
    let sealed = Sealed::deployed(lab, &["token"])?;
    let scene = &sealed.0;
    let before = sealed.state()?;
    sealed.edit(
        "ssh-keygen -q -t ed25519 -N '' -f /root/other; \
         printf x | age -R /root/other.pub -o secrets/token.age",
    )?;
    let refused = ["secret token cannot be decrypted on the machine", "nothing was changed"];
    scene.deploy("frame1")?.ends(1, &refused)?;
    ensure!(sealed.state()? == before, "{before} became {}", sealed.state()?);
    sealed.edit("git checkout -q HEAD~1 -- secrets/token.age")?;

    scene.frame1.sh("rm /etc/ssh/ssh_host_*; ssh-keygen -q -A; systemctl restart sshd.service")?;
    access::know(&scene.mac, &scene.frame1)?;
    sealed.has(&AgenixFleet::new(3, ["token"]))?;
    let mends = "deploy secrets recipients add frame1 --from-host";
    scene.deploy("frame1 --accept-name frame1")?.ends(1, &[refused[0], refused[1], mends])?;
    ensure!(sealed.state()? == before, "{before} became {}", sealed.state()?);
    let key = access::host_key(&scene.frame1)?;
    let key = key.trim();
    sealed.edit(&format!(
        "sed -i 's|frame1 = \".*\"|frame1 = \"{key}\"|' keys.nix; {DEPLOY} secrets rekey"
    ))?;
    scene.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    ensure!(before.contains(&sealed.on_frame1("token")?), "it is another one");
    Ok(())
}

fn gone(lab: &mut Lab) -> Result<()> {
    let sealed = Sealed::deployed(lab, &["token"])?;
    let scene = &sealed.0;
    let system = scene.runs()?;
    let after = |what: &str| {
        let snippet = format!(
            "system.activationScripts.spoil = {{ deps = [ \"agenix\" ]; text = \"{what}\"; }};"
        );
        AgenixFleet::new(3, ["token"]).line(&snippet)
    };
    for (what, said) in [
        ("rm -f /run/agenix/token", "/run/agenix/token does not exist"),
        ("truncate -s 0 /run/agenix/token", "/run/agenix/token is empty"),
        ("chmod 0444 /run/agenix/token", "/run/agenix/token has the mode 0444, not 0440"),
        ("chown root /run/agenix/token", "/run/agenix/token belongs to the user 0, not "),
    ] {
        sealed.has(&after(what))?;
        let check = format!("check secret.token fails: {said}");
        scene.deploy("frame1")?.ends(3, &["frame1 was rolled back", &check])?;
        ensure!(scene.runs()? == system, "it runs {}", scene.runs()?);
        let is = scene.frame1.sh("stat -Lc '%a %U %G' /run/agenix/token")?;
        ensure!(is == "440 reader reader", "the way back has not mended it: {is}");
    }
    Ok(())
}

fn rotated(lab: &mut Lab) -> Result<()> {
    let sealed = Sealed(Scene::of(lab, &REAL)?);
    let scene = &sealed.0;
    scene.mac.sh("ssh-keygen -q -t ed25519 -N '' -C lost -f /root/lost")?;
    sealed.has(&AgenixFleet::new(2, ["token"]))?;
    let lost = scene.mac.read("/root/lost.pub")?;
    let rules = "secrets/secrets.nix";
    sealed
        .edit(&format!("sed -i 's|keys.frame1 \\]|keys.frame1 \"{}\" ]|' {rules}", lost.trim()))?;
    sealed.make()?;
    scene.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    let opens = "age -d -i /root/lost /root/fleet/secrets/token.age";
    ensure!(scene.mac.sh(opens)? == sealed.on_frame1("token")?, "it is no reader at first");

    sealed.edit(&format!(
        "sed -i 's|keys.frame1 .*\\]|keys.frame1 ]|' {rules}; {DEPLOY} secrets rekey; \
         printf rotated | {DEPLOY} secrets edit token"
    ))?;
    let said = scene.mac.command(["sh", "-c", opens]).run()?;
    ensure!(said.code != 0, "the lost key still opens it");
    scene.deploy("frame1")?.ends(0, &["changed secrets: token", "frame1: committed"])?;
    ensure!(sealed.on_frame1("token")? == "rotated", "the old one is still there");
    ensure!(sealed.was_read("token")?, "its reader was not restarted");
    Ok(())
}

/// A flake that imports agenix and nothing of ours.
fn plain(lab: &mut Lab) -> Result<()> {
    let sealed = Sealed(Scene::of(lab, &REAL)?);
    let scene = &sealed.0;
    sealed.has(&AgenixFleet::new(2, ["token"]))?;
    sealed.make()?;
    let first = scene.mac.sh(&format!("cd {FOLDER}; {DEPLOY} secrets show token"))?;
    scene.mac.sh(&format!(
        "cd {FOLDER}; cp -r /opt/inputs/agenix/source/modules agenix; rm -f flake.lock services.nix"
    ))?;
    // The module tree of August 2024 has no such option yet.
    let userborn = "{ options.services.userborn.enable = lib.mkEnableOption \"\"; }";
    let module = |number| {
        Module::new(number)
            .line(&format!("imports = [ ../agenix/age.nix {userborn} ];"))
            .line("age.secrets.token = { file = ../secrets/token.age; mode = \"0440\"; };")
    };
    RealFleet::of("frame1", module(2)).write(&scene.mac)?;
    scene.deploy("plan frame1")?.ends(0, &["new secrets: token"])?;
    let said = scene.deploy("frame1 --json")?;
    said.ends(0, &[])?;
    ensure!(passed_checks(&said.text).contains("secret.token"), "not checked: {}", said.text);
    ensure!(sealed.on_frame1("token")? == first, "it is another one");

    sealed.edit(&format!("printf another-word | {DEPLOY} secrets edit token"))?;
    scene.deploy("status frame1")?.ends(0, &["secrets:   older than in the flake: token"])?;
    scene.deploy("frame1")?.ends(0, &["changed secrets: token\n", "frame1: committed"])?;
    ensure!(sealed.on_frame1("token")? == "another-word", "it was not replaced");

    let spoil = "system.activationScripts.spoil = { deps = [ \"agenix\" ]; \
                 text = \"chmod 0444 /run/agenix/token\"; };";
    RealFleet::of("frame1", module(3).line(spoil)).write(&scene.mac)?;
    let check = "check secret.token fails: /run/agenix/token has the mode 0444, not 0440";
    scene.deploy("frame1")?.ends(3, &["frame1 was rolled back", check])?;

    // Neither the first generation nor its activation knows of the secret.
    scene.deploy("rollback frame1 --to 1")?.ends(0, &["today's flake", "frame1: committed"])?;
    Ok(())
}
