//! No secret is anywhere but in its place: a word that is nowhere else is made a secret, and after
//! deploys of every ending both hosts are searched for it. Leaks that are planted are found.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::programs::DEPLOY;
use deploy_lab::hosts::{Host, Lab, Running, wait};
use deploy_lab::systems::{AgenixFleet, FOLDER};

use super::agenix::{Sealed, missing};
use crate::harness::Scenario;
use crate::scene::{end, line};

pub const ALL: &[Scenario] = &[
    Scenario::new("no-secret-is-found-outside-of-its-place-on-real-nixos", nowhere).unless(missing),
    Scenario::new("a-planted-leak-of-a-secret-is-found-on-real-nixos", planted).unless(missing),
];

/// A secret that nobody has written anywhere, these sources included: they are on the operator's
/// computer. A script must not contain it, because a script is an argument of a process.
fn word() -> Result<String> {
    let uuid = fs::read_to_string("/proc/sys/kernel/random/uuid")?;
    Ok(format!("poison-{}", uuid.trim()))
}

/// As a line of clear text, as hexadecimal digits, and in base64 from any position: who searches must
/// not be fooled by an encoding.
fn words(poison: &str) -> String {
    let hex = poison.bytes().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let base64 = (0..3).map(|shift| base64_inside(&poison.as_bytes()[shift..]));
    [poison.to_owned(), hex.to_uppercase(), hex]
        .into_iter()
        .chain(base64)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The base64 letters of whole groups of three bytes.
fn base64_inside(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| char::from(LETTERS[usize::try_from(bits & 63).unwrap_or(0)]);
    let groups = bytes.chunks_exact(3).map(|group| {
        let bits = group.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte));
        [18, 12, 6, 0].map(|shift| letter(bits >> shift)).iter().collect::<String>()
    });
    groups.collect()
}

/// Looks at the arguments and environments of all processes until it is stopped.
const WATCH: &str = "while [ ! -e /run/search/stop ]; do \
     grep -laF -f /run/search/words /proc/[0-9]*/cmdline /proc/[0-9]*/environ; done \
     >> /run/search/seen 2> /dev/null; exit 0";

/// Prints every place that has one of the words: files of all file systems, cores among them, the
/// journal, what processes have in arguments and environment, and what `WATCH` saw.
const SEARCH: &str = r"
cat /run/search/seen 2> /dev/null || :
grep -laF -f /run/search/words /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2> /dev/null || :
journalctl --output=export --all | grep -qaF -f /run/search/words && echo journal || :
while read -r _ mount kind _; do
  case $kind in proc | sysfs | cgroup2 | devpts | mqueue | debugfs | tracefs) continue ;; esac
  # Devices that a host got are mounts on files, and some have no end.
  case $mount in /dev/shm) ;; /dev | /dev/*) continue ;; esac
  find $mount -xdev -type f ! -path '/run/search/*' -print0 2> /dev/null |
    xargs -0 -r grep -laF --devices=skip -f /run/search/words -- 2> /dev/null
done < /proc/mounts | sort -u
";

/// A host that is searched.
struct Searched<'h> {
    host: &'h Host,
    watch: Running,
}

impl<'h> Searched<'h> {
    fn begin(host: &'h Host, poison: &str) -> Result<Self> {
        let script = "mkdir -p /run/search; rm -f /run/search/*; cat > /run/search/words";
        host.command(["sh", "-c", script]).stdin(words(poison)).run()?.success()?;
        let watch = host.command(["sh", "-c", WATCH]).spawn()?;
        Ok(Self { host, watch })
    }

    /// The places that have the words.
    fn end(self) -> Result<Vec<String>> {
        self.host.sh("touch /run/search/stop")?;
        self.watch.wait(Duration::from_secs(30))?;
        let found = self.host.command(["sh", "-c", SEARCH]).spawn()?;
        let found = found.wait(Duration::from_secs(400))?.success()?;
        Ok(found.stdout.lines().map(str::to_owned).collect())
    }
}

/// The operator's secret becomes this word, over standard input.
fn put(sealed: &Sealed, poison: &str) -> Result<()> {
    let line = format!("cd {FOLDER} && {DEPLOY} secrets edit token");
    sealed.0.mac.command(["sh", "-c", &line]).stdin(poison).run()?.success()?;
    sealed.edit("git add --all")
}

fn nowhere(lab: &mut Lab) -> Result<()> {
    let sealed = Sealed::deployed(lab, &["token"])?;
    let scene = &sealed.0;
    let poison = word()?;
    let mac = Searched::begin(&scene.mac, &poison)?;
    let frame1 = Searched::begin(&scene.frame1, &poison)?;
    put(&sealed, &poison)?;
    let mut said = scene.deploy("plan frame1 --build --json")?.text;
    let committed = scene.deploy("frame1 -v")?;
    committed.ends(0, &["changed secrets: token", "frame1: committed"])?;
    ensure!(sealed.on_frame1("token")? == poison, "it is not there");
    said += &committed.text;

    // A deploy that goes back because of the secret itself, told in JSON.
    let spoil = "system.activationScripts.spoil = { deps = [ \"agenix\" ]; \
                 text = \"chmod 0444 /run/agenix/token\"; };";
    sealed.has(&AgenixFleet::new(3, ["token"]).line(spoil))?;
    let back = scene.deploy("frame1 --json")?;
    back.ends(3, &["secret.token"])?;
    said += &back.text;

    // A deploy that crashes in the middle, on both sides, with cores allowed.
    sealed.has(&AgenixFleet::new(4, ["token"]))?;
    let cores = format!("ulimit -c unlimited; {}", line("frame1"));
    let deploy = scene.mac.command(["sh", "-c", &cores]).spawn()?;
    wait::until("frame1 is switched", Duration::from_secs(100), || {
        Ok(deploy.stdout()?.contains("frame1: checking"))
    })?;
    scene.frame1.sh("for each in $(pidof deploy-agent); do kill -ABRT $each; done")?;
    scene.mac.sh("for each in $(pidof deploy); do kill -ABRT $each || :; done")?;
    said += &end(deploy)?.text;
    wait::until("the attempt has ended", Duration::from_secs(200), || {
        let status = scene.deploy("status frame1")?;
        Ok(status.code == 0 && !status.text.contains(": open, phase"))
    })?;
    said += &scene.deploy("logs frame1")?.text;
    said += &scene.deploy("status frame1 --json")?.text;

    let said_it = words(&poison).lines().any(|word| said.contains(word));
    ensure!(!said_it, "deploy has printed it");
    let found = mac.end()?;
    ensure!(found.is_empty(), "on mac it is in {found:?}");
    let found = frame1.end()?;
    let generation = frame1_generation(&scene.frame1)?;
    ensure!(found == [format!("{generation}/token")], "on frame1 it is in {found:?}");
    Ok(())
}

fn frame1_generation(frame1: &Host) -> Result<String> {
    frame1.sh("readlink /run/agenix")
}

fn planted(lab: &mut Lab) -> Result<()> {
    let sealed = Sealed::deployed(lab, &["token"])?;
    let frame1 = &sealed.0.frame1;
    let searched = Searched::begin(frame1, &word()?)?;
    // Each by a program that reads it from a file, as the words are not in this script.
    frame1.sh(
        "w=/run/search/words; first() { head -n 1 $w; }
         first | systemd-cat
         nix-store --add $w > /dev/null
         first > /nix/var/deploy-agent/leak.json
         first | base64 > /var/tmp/leak.txt
         first | od -An -v -tx1 | tr -d ' \\n' > /root/leak.hex
         mkdir -p /var/lib/systemd/coredump; { head -c 70000 /dev/urandom; first; } > /var/lib/systemd/coredump/core.1
         first > /tmp/leak; first > /dev/shm/leak
         sh -c 'sleep 2; :' \"$(first)\"
         LEAK=$(first) sleep 2",
    )?;
    let found = searched.end()?;
    let planted = [
        "journal",
        "/nix/store/",
        "/nix/var/deploy-agent/leak.json",
        "/var/tmp/leak.txt",
        "/root/leak.hex",
        "/var/lib/systemd/coredump/core.1",
        "/tmp/leak",
        "/dev/shm/leak",
        "/cmdline",
        "/environ",
    ];
    let missed = planted.iter().find(|place| !found.iter().any(|found| found.contains(*place)));
    ensure!(missed.is_none(), "{missed:?} is not among {found:?}");
    Ok(())
}
