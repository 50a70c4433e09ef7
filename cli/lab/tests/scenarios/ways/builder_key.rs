//! What can be done with the one-time key of a builder, by who has stolen it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::{Host, Lab, Output, Running, wait};
use deploy_wire::{
    WIRE_VERSION,
    builder_push::{BuilderPush, PushedPath},
    message::{Asked, Request},
    store_path::StorePath,
};

use super::straight::Straight;
use crate::harness::Scenario;

pub const ALL: &[Scenario] = &[
    Scenario::new("a-builder-s-key-brings-its-paths-and-opens-nothing-else", opens),
    Scenario::new("a-builder-s-key-that-nobody-removes-expires", expires),
];

/// Where sshd reads the keys of builders.
pub const KEYS: &str = "/run/deploy-agent-keys";

/// The line of a key that waits for its builder.
pub struct LineOfKeys;

impl LineOfKeys {
    pub fn of(frame1: &Host) -> Result<Option<String>> {
        let line = frame1.sh(&format!("cat {KEYS}/* 2> /dev/null || :"))?;
        Ok(Some(line).filter(|line| !line.is_empty()))
    }
}

/// The operator's conversation that accepts a key, which is on the builder.
struct Door<'s> {
    straight: &'s Straight,
    talk: Running,
    number: u32,
}

impl<'s> Door<'s> {
    /// Lets the builder in for `paths`.
    fn open(straight: &'s Straight, number: u32, paths: &[&str]) -> Result<Self> {
        let Straight { scene, builder } = straight;
        let key = format!("/root/key{number}");
        builder.sh(&format!("rm -f {key}*; ssh-keygen -q -t ed25519 -N '' -C '' -f {key}"))?;
        let public = builder.read(&format!("{key}.pub"))?.trim().to_owned();
        let paths: Result<Vec<PushedPath>> =
            paths.iter().map(|path| registered(builder, path)).collect();
        let push = BuilderPush {
            word: format!("{number:032x}"),
            key: public,
            user: "root".into(),
            as_root: Vec::new(),
            paths: paths?,
        };
        let request = Request::AcceptBuilder(Box::new(push));
        let asked = Asked { version: WIRE_VERSION, login: None, request };
        let agent = scene.frame1.sh("ls -d /nix/store/*-deploy-agent | head -n 1")?;
        let line = serde_json::to_string(&asked)?;
        scene.mac.write("/root/asked", format!("{line}\n"), 0o600)?;
        let out = format!("/root/answered{number}");
        let talks = format!(
            "{{ cat /root/asked; exec sleep 600; }} | ssh frame1 {agent} serve --trusted > {out} 2>&1"
        );
        let talk = scene.mac.command(["sh", "-c", &talks]).spawn()?;
        wait::until("the agent accepts", wait::PATIENCE, || {
            Ok(scene.mac.read(&out).unwrap_or_default().contains('\n'))
        })?;
        let said = scene.mac.read(&out)?;
        ensure!(said.contains("acceptsBuilder"), "{said}");
        Ok(Self { straight, talk, number })
    }

    fn options(&self) -> String {
        format!(
            "-i /root/key{} -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=no",
            self.number
        )
    }

    /// Runs ssh on the builder with the key.
    fn ssh(&self, rest: &str) -> Result<Output> {
        let line = format!("timeout 20 ssh {} {rest}", self.options());
        self.straight.builder.command(["sh", "-c", &line]).run()
    }

    /// Runs Nix on the builder with the key.
    fn nix(&self, rest: &str) -> Result<Output> {
        let line = format!("nix --extra-experimental-features nix-command {rest} 2>&1");
        let command = self.straight.builder.command(["sh", "-c", &line]);
        command.env("NIX_SSHOPTS", &self.options()).run()
    }

    fn copy(&self, path: &str) -> Result<Output> {
        self.nix(&format!("copy --no-check-sigs --to ssh-ng://root@frame1 {path}"))
    }

    fn close(mut self) -> Result<()> {
        self.talk.kill()?;
        wait::until("the key is gone", wait::PATIENCE, || {
            Ok(LineOfKeys::of(&self.straight.scene.frame1)?.is_none())
        })
    }
}

/// A path as the builder's Nix has registered it; it refers to nothing.
fn registered(builder: &Host, path: &str) -> Result<PushedPath> {
    let told = builder.sh(&format!("nix-store --dump-db {path}"))?;
    let mut lines = told.lines().skip(1);
    let hash = lines.next().context("its hash")?.to_owned();
    let size = lines.next().context("its size")?.parse()?;
    Ok(PushedPath { path: StorePath::parse(path)?, hash, size, references: Vec::new() })
}

fn opens(lab: &mut Lab) -> Result<()> {
    let straight = Straight::new(lab)?;
    let Straight { scene, builder } = &straight;
    let adds = |name: &str| {
        builder.sh(&format!("echo {name} > /root/{name}; nix-store --add /root/{name}"))
    };
    let (listed, other, changed) = (adds("listed")?, adds("other")?, adds("changed")?);
    let is_there = |path: &str| -> Result<bool> {
        Ok(scene.frame1.command(["nix-store", "--check-validity", path]).run()?.code == 0)
    };

    // What is listed goes, once.
    let door = Door::open(&straight, 1, &[&listed])?;
    let line = LineOfKeys::of(&scene.frame1)?.context("there is no key")?;
    for part in ["restrict,expiry-time=\"20", "Z\",command=\"/nix/store/", " serve --builder "] {
        ensure!(line.contains(part), "`{part}` is not in {line}");
    }
    let mode = scene.frame1.sh(&format!("stat -c '%a %U' {KEYS} {KEYS}/root"))?;
    ensure!(mode == "755 root\n644 root", "{mode}");
    let said = door.copy(&listed)?;
    ensure!(said.code == 0 && is_there(&listed)?, "{said:?}");
    let said = door.ssh("root@frame1 true")?;
    ensure!(said.stderr.contains("Permission denied"), "it opens twice: {said:?}");
    door.close()?;

    // What is not, does not; and the store's other operations are not its.
    let door = Door::open(&straight, 2, &[&listed])?;
    let said = door.copy(&other)?;
    ensure!(said.code != 0 && said.stdout.contains("is not of this push"), "{said:?}");
    ensure!(!is_there(&other)?, "another path came");
    door.close()?;
    let door = Door::open(&straight, 3, &[&listed])?;
    let said = door.nix("store gc --store ssh-ng://root@frame1")?;
    ensure!(said.stdout.contains("a builder may not use operation 20"), "{said:?}");
    door.close()?;

    // Other bytes under a listed name.
    let door = Door::open(&straight, 4, &[&changed])?;
    builder.sh(&format!(
        "mount -o remount,rw /nix/store 2> /dev/null || :; chmod u+w {changed}; \
                         echo CHANGED > {changed}"
    ))?;
    let said = door.copy(&changed)?;
    ensure!(said.code != 0 && !is_there(&changed)?, "other bytes came: {said:?}");
    door.close()?;

    // No shell, no terminal, no forwarding, no request to the agent.
    let door = Door::open(&straight, 5, &[&listed])?;
    for (rest, refused) in [
        ("-W 127.0.0.1:22 root@frame1 < /dev/null", "administratively prohibited"),
        ("-N -o ExitOnForwardFailure=yes -R 7777:127.0.0.1:22 root@frame1", "forwarding failed"),
    ] {
        let said = door.ssh(rest)?;
        ensure!(said.code != 0 && said.stderr.contains(refused), "{rest}: {said:?}");
    }
    let said = door.ssh("-tt root@frame1 'touch /root/opened' < /dev/null")?;
    ensure!(said.stderr.contains("PTY allocation request failed"), "{said:?}");
    door.close()?;
    for (number, request) in [(6, "touch /root/opened"), (7, "confirm"), (8, "stage")] {
        let door = Door::open(&straight, number, &[&listed])?;
        let asked =
            format!(r#"{{"version":1,"request":{{"do":"{request}","attempt":"7f3a01c2"}}}}"#);
        builder.write("/root/says", format!("{asked}\n"), 0o600)?;
        let said = door.ssh(&format!("root@frame1 '{request}' < /root/says"))?;
        ensure!(said.stderr.contains("this is not Nix's protocol"), "{said:?}");
        ensure!(said.stdout.is_empty(), "{said:?}");
        door.close()?;
    }
    scene.frame1.sh("! test -e /root/opened")?;

    // The key goes with the operator's conversation, used or not.
    let door = Door::open(&straight, 9, &[&listed])?;
    door.close()?;
    let gone =
        "timeout 20 ssh -i /root/key9 -o IdentitiesOnly=yes -o BatchMode=yes root@frame1 true";
    let said = builder.command(["sh", "-c", gone]).run()?;
    ensure!(said.stderr.contains("Permission denied"), "{said:?}");
    Ok(())
}

/// The agent that would remove the key is killed.
fn expires(lab: &mut Lab) -> Result<()> {
    let straight = Straight::new(lab)?;
    let Straight { scene, builder } = &straight;
    let listed = builder.sh("echo listed > /root/listed; nix-store --add /root/listed")?;
    let door = Door::open(&straight, 1, &[&listed])?;
    scene.frame1.sh("pkill -KILL -f '[s]erve --trusted'")?;
    ensure!(LineOfKeys::of(&scene.frame1)?.is_some(), "the key is gone already");
    wait::until("the key has expired", Duration::from_secs(150), || {
        // -W does not use the key up.
        let said = door.ssh("-W 127.0.0.1:22 root@frame1 < /dev/null")?;
        Ok(said.stderr.contains("Permission denied"))
    })?;
    ensure!(LineOfKeys::of(&scene.frame1)?.is_some(), "the control: it is in its file");
    // Another push removes what has expired.
    let door = Door::open(&straight, 2, &[&listed])?;
    let line = LineOfKeys::of(&scene.frame1)?.unwrap_or_default();
    ensure!(line.lines().count() == 1 && line.ends_with(&format!("{:032x}", 2)), "{line}");
    door.close()
}
