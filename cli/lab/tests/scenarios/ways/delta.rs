//! Pushes that leave out what the machine has, and what happens when that is not what it was.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::relay::{Relay, RoadSpec};
use deploy_lab::hosts::{Host, Lab};
use deploy_lab::systems::{Fleet, Generation};
use serde_json::Value;

use super::runs_generation;
use crate::harness::Scenario;
use crate::scene::{Said, Scene};

pub const ALL: &[Scenario] = &[
    Scenario::new("a-rebuilt-path-is-pushed-without-what-the-machine-has", rebuilt),
    Scenario::new("a-base-that-is-damaged-or-gone-makes-a-push-of-whole-paths", damaged),
];

/// Builds a program of 12 MiB that refers to a library and to itself. `salt` changes all hashes and
/// the last line.
const BUILD: &str = r#"
cat > /root/rebuilt.nix <<'END'
{ salt }:
let
  run = name: script: extra: derivation ({
    inherit name salt;
    system = "x86_64-linux";
    builder = "/bin/sh";
    PATH = "/usr/bin:/bin";
    args = [ "-euc" script ];
  } // extra);
  library = run "library-1.0" "mkdir $out; echo library > $out/lib" { };
in
run "program-1.0" ''
  mkdir $out
  { openssl enc -aes-128-ctr -nosalt -md sha256 -pass pass:p -in /dev/zero 2> /dev/null || :; } |
    head -c 9000000 | base64 -w 4000 | sed "s#\$# $library/lib $out/data#" > $out/data
  echo $salt >> $out/data
'' { inherit library; }
END
nix-build --no-out-link --argstr salt "$1" /root/rebuilt.nix
"#;

/// The program on `mac`, with this salt.
pub(super) fn built(mac: &Host, salt: u32) -> Result<String> {
    let words = ["sh", "-euc", BUILD, "sh", &salt.to_string()];
    Ok(mac.command(words).run()?.success()?.stdout.trim().to_owned())
}

/// A scene with a road that is slower than a busy computer, whose frame1 has the program with salt 1.
pub(super) fn far(lab: &mut Lab) -> Result<(Scene, Relay, String)> {
    let scene = Scene::new(lab)?;
    let road = RoadSpec { one_way: Duration::from_millis(5), mbit_per_second: Some(16) };
    let relay = Relay::start(&scene.frame1, road)?;
    let first = built(&scene.mac, 1)?;
    has(&scene, 2, &first, "frame1-far")?;
    let pushed = push(&scene)?;
    ensure!(pushed.reused == 0, "{pushed:?}");
    Ok((scene, relay, first))
}

pub(super) fn has(scene: &Scene, number: u32, program: &str, hostname: &str) -> Result<()> {
    let system = Generation::new("frame1", number).contents(vec![program.to_owned()]);
    scene.has(Fleet::of("frame1", system).node("frame1", "hostname", hostname))
}

/// What the last document about a push says, and all that was said.
#[derive(Debug)]
pub(super) struct Pushed {
    pub(super) sent: u64,
    pub(super) reused: u64,
    pub(super) said: String,
}

/// Has `deploy` know that the line to frame1 is slow. On a busy computer it would learn otherwise,
/// and send whole paths.
pub(super) fn knows_that_it_is_slow(scene: &Scene) -> Result<()> {
    let script = r#"
id=$(ssh frame1 cat /etc/machine-id)
name=$(printf %s "$id" | sha256sum | head -c 32)
mkdir -p /root/.cache/deploy/lines
printf '{"key":"%s","value":true}' "$id" > "/root/.cache/deploy/lines/$name.json"
"#;
    scene.mac.sh(script).map(drop)
}

/// Deploys to the end.
pub(super) fn push(scene: &Scene) -> Result<Pushed> {
    knows_that_it_is_slow(scene)?;
    let said = scene.deploy("--json frame1")?;
    said.ends(0, &["committed"])?;
    pushed(&said)
}

/// What the last document about a push says.
pub(super) fn pushed(said: &Said) -> Result<Pushed> {
    let mut documents = said.text.lines().filter_map(|line| serde_json::from_str(line).ok());
    let last: Value =
        documents.rfind(|document: &Value| document["event"] == "push").context("no push")?;
    let number = |name: &str| last[name].as_u64().with_context(|| format!("no {name}: {last}"));
    Ok(Pushed { sent: number("onTheWire")?, reused: number("reused")?, said: said.text.clone() })
}

/// The whole closure of frame1's system is what its database says.
pub(super) fn is_whole(machine: &Host) -> Result<()> {
    machine.sh("nix-store --verify-path $(nix-store -qR /run/current-system)").map(drop)
}

fn rebuilt(lab: &mut Lab) -> Result<()> {
    let (scene, _relay, first) = far(lab)?;
    let program = built(&scene.mac, 2)?;
    ensure!(program != first, "{program}");
    has(&scene, 3, &program, "frame1-far")?;
    let pushed = push(&scene)?;
    println!("measured: {} bytes on the wire, {} reused", pushed.sent, pushed.reused);
    ensure!(pushed.reused > 12_000_000 && pushed.sent < 500_000, "{pushed:?}");
    runs_generation(&scene.frame1, 3)?;
    is_whole(&scene.frame1)?;
    // Without a copy here, the machine reads its own.
    scene.mac.sh(&format!("rm -r {program}"))?;
    has(&scene, 4, &built(&scene.mac, 3)?, "frame1-far")?;
    let pushed = push(&scene)?;
    ensure!(pushed.reused > 12_000_000 && pushed.sent < 500_000, "{pushed:?}");
    runs_generation(&scene.frame1, 4)?;
    is_whole(&scene.frame1)
}

fn damaged(lab: &mut Lab) -> Result<()> {
    let (scene, _relay, first) = far(lab)?;
    // A bit of the base flips on the machine's disk.
    scene.frame1.sh(&format!(
        "printf X | dd of={first}/data conv=notrunc bs=1 seek=6000000 \
                              status=none"
    ))?;
    has(&scene, 3, &built(&scene.mac, 2)?, "frame1-far")?;
    let pushed = push(&scene)?;
    ensure!(pushed.reused == 0 && pushed.sent > 6_000_000, "{pushed:?}");
    let note = format!("the push begins again with whole paths: {first}: ");
    ensure!(pushed.said.contains(&note), "{pushed:?}");
    runs_generation(&scene.frame1, 3)?;
    // The base is gone, though the machine's database has it.
    let second = built(&scene.mac, 2)?;
    scene.frame1.sh(&format!("rm -r {second}"))?;
    has(&scene, 4, &built(&scene.mac, 3)?, "frame1-far")?;
    let pushed = push(&scene)?;
    ensure!(pushed.sent > 6_000_000, "{pushed:?}");
    ensure!(pushed.said.contains("the push begins again with whole paths: "), "{pushed:?}");
    runs_generation(&scene.frame1, 4)
}
