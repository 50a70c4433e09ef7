//! Pushes that leave out what the machine has, and that do not come to their end.

use anyhow::{Result, ensure};
use deploy_lab::hosts::relay::{Direction, Relay};
use deploy_lab::hosts::{Lab, wait};

use super::delta::{built, far, has, is_whole, knows_that_it_is_slow, push};
use super::runs_generation;
use crate::harness::Scenario;
use crate::scene::{ANSWERS, Scene};

pub const ALL: &[Scenario] = &[
    Scenario::new("a-push-of-chunks-into-a-full-store-is-refused-and-the-next-goes-on", full),
    Scenario::new("a-push-of-chunks-that-is-cut-leaves-no-wrong-path", cut_in_the_middle),
    Scenario::new("a-push-of-chunks-is-cut-at-each-of-its-messages", cut_anywhere),
    Scenario::new("a-large-path-whose-push-was-cut-off-goes-on-inside", inside),
];

/// Everything in the machine's store is what its database says.
fn holds_nothing_wrong(scene: &Scene) -> Result<()> {
    scene.frame1.sh("nix-store --verify --check-contents 2>&1").map(drop)
}

fn full(lab: &mut Lab) -> Result<()> {
    let (scene, _relay, _) = far(lab)?;
    has(&scene, 3, &built(&scene.mac, 2)?, "frame1-far")?;
    // Less than the program, which comes as copies of what is there.
    scene.frame1.fill("/nix", 6 << 20)?;
    knows_that_it_is_slow(&scene)?;
    let said = scene.deploy("frame1")?;
    said.ends(1, &["No space left on device", "nothing was changed"])?;
    runs_generation(&scene.frame1, 2)?;
    holds_nothing_wrong(&scene)?;
    scene.frame1.sh("rm /nix/lab-fill")?;
    let pushed = push(&scene)?;
    ensure!(pushed.reused > 12_000_000, "{pushed:?}");
    runs_generation(&scene.frame1, 3)?;
    is_whole(&scene.frame1)
}

/// The bytes that a deploy of a rebuilt program takes from its first to its last, by direction.
fn whole(scene: &Scene, relay: &Relay) -> Result<[u64; 2]> {
    has(scene, 3, &built(&scene.mac, 2)?, "frame1-far")?;
    let directions = [Direction::ToHost, Direction::FromHost];
    let before = directions.map(|direction| relay.bytes(direction));
    push(scene)?;
    Ok([0, 1].map(|at| relay.bytes(directions[at]) - before[at]))
}

/// Cuts the connections of one deploy after so many bytes. It may end in any way but a wrong one, and
/// the next one commits.
fn cut(scene: &Scene, relay: &Relay, number: u32, (way, bytes): (Direction, u64)) -> Result<()> {
    has(scene, number, &built(&scene.mac, number)?, "frame1-far")?;
    let cuts = relay.cuts();
    relay.cut_after(way, bytes);
    knows_that_it_is_slow(scene)?;
    let said = scene.deploy("frame1")?;
    ensure!(relay.cuts() > cuts, "{way:?} was not cut after {bytes} bytes:\n{}", said.text);
    println!("measured: cut {way:?} after {bytes} bytes: exit code {}", said.code);
    holds_nothing_wrong(scene)?;
    if said.code == 1 {
        ensure!(said.text.contains("nothing was changed"), "{}", said.text);
        runs_generation(&scene.frame1, number - 1)?;
    }
    let said = scene.deploy("frame1")?;
    ensure!(said.code == 0, "{}", said.text);
    runs_generation(&scene.frame1, number)?;
    is_whole(&scene.frame1)
}

fn cut_in_the_middle(lab: &mut Lab) -> Result<()> {
    let (scene, relay, _) = far(lab)?;
    let [to, from] = whole(&scene, &relay)?;
    cut(&scene, &relay, 4, (Direction::ToHost, to / 2))?;
    cut(&scene, &relay, 5, (Direction::FromHost, from / 2))?;
    // What a push left that was cut off is not taken for what it was to become.
    let program = built(&scene.mac, 6)?;
    scene.frame1.sh(&format!("mkdir {program}; echo torn > {program}/data"))?;
    has(&scene, 6, &program, "frame1-far")?;
    let pushed = push(&scene)?;
    ensure!(pushed.reused > 12_000_000, "{pushed:?}");
    is_whole(&scene.frame1)
}

/// How many places each direction is cut at.
const PLACES: u64 = 16;

/// Encryption hides where a message begins, so the places are close together.
fn cut_anywhere(lab: &mut Lab) -> Result<()> {
    let (scene, relay, _) = far(lab)?;
    let [to, from] = whole(&scene, &relay)?;
    let ways = [(Direction::ToHost, to), (Direction::FromHost, from)];
    let places = ways
        .into_iter()
        .flat_map(|(way, whole)| (1..PLACES).map(move |place| (way, whole * place / PLACES)));
    (4..).zip(places).try_for_each(|(number, place)| cut(&scene, &relay, number, place))
}

/// A path of 68 MiB with a name that the machine has no path of, of which each line is a third of
/// random bytes: about 17 MiB on the wire.
const LARGE: &str = r#"
cd "$(mktemp -d)"; mkdir large
{ openssl enc -aes-128-ctr -nosalt -md sha256 -pass pass:l -in /dev/zero 2> /dev/null || :; } |
  head -c 18000000 | base64 -w 400 | awk '{ printf "%s%800s\n", $0, "" }' > large/data
nix-store --add large
"#;

/// Where an earlier push was cut off, everything that it kept.
const KEPT: &str =
    "find /nix/var/deploy-agent/partial -name '*.nar' -printf '%s\n' 2> /dev/null || :";

/// The bytes that the machine keeps of a path. The agent writes the last of them when its connection
/// is gone.
fn kept(scene: &Scene, at_least: u64) -> Result<u64> {
    let mut kept = 0;
    wait::until("the bytes are kept", wait::PATIENCE, || {
        kept = scene.frame1.sh(KEPT)?.lines().filter_map(|size| size.parse::<u64>().ok()).sum();
        Ok(kept > at_least)
    })
    .map_err(|error| error.context(format!("{kept} bytes were kept")))?;
    Ok(kept)
}

fn inside(lab: &mut Lab) -> Result<()> {
    let (scene, relay, _) = far(lab)?;
    let large = scene.mac.sh(LARGE)?;
    has(&scene, 3, large.trim(), "frame1-far")?;
    relay.cut_after(Direction::ToHost, 10 << 20);
    knows_that_it_is_slow(&scene)?;
    scene.deploy("frame1")?.ends(1, &["nothing was changed"])?;
    kept(&scene, 24 << 20)?;
    holds_nothing_wrong(&scene)?;
    // The power goes too.
    scene.frame1.power_cut_and_boot()?;
    scene.frame1.wait_for_ssh(ANSWERS)?;
    let kept = kept(&scene, 0)?;
    let pushed = push(&scene)?;
    println!("measured: {kept} bytes kept, {} reused, {} sent", pushed.reused, pushed.sent);
    ensure!(pushed.reused + (2 << 20) > kept, "{kept} bytes were kept: {pushed:?}");
    runs_generation(&scene.frame1, 3)?;
    is_whole(&scene.frame1)?;
    ensure!(scene.frame1.sh(KEPT)?.is_empty(), "something is left");
    Ok(())
}
