//! Starts and ends of a virtual machine, and why one does not start.

use anyhow::{Result, ensure};
use deploy_lab::hosts::{Lab, Terminal, wait};

use super::{Desk, NAME, SLOW, STATE, nothing_is_left};
use crate::scene::{Said, line};

/// What takes less than a minute, for `scripts/test`.
pub fn started(lab: &mut Lab) -> Result<()> {
    let desk = Desk::new(lab)?;
    let first = desk.wanted()?;
    let said = desk.start()?;
    said.ends(0, &["site:    https://notes.lan:8443/", "--resolve notes.lan:8443:127.0.0.1"])?;
    said.ends(0, &["all 1 declared checks pass"])?;
    desk.is_on(&first)?;
    desk.deploy(&format!("vm {NAME}"))?.ends(1, &["error: frame1-vm is on already"])?;
    desk.wants(2, |generation| generation)?;
    desk.deploy(NAME)?.ends(0, &["committed"])?;
    desk.is_on(&desk.wanted()?)?;
    // Without its keeper it is still on, for everybody.
    desk.mac.sh("kill -KILL $(pgrep -f 'deploy vm [k]eep')")?;
    desk.deploy(&format!("vm {NAME}"))?.ends(1, &["error: frame1-vm is on already"])?;
    desk.deploy(&format!("vm stop {NAME}"))?.ends(0, &["frame1-vm: is off"])?;
    desk.deploy(&format!("vm status {NAME}"))?.ends(1, &["frame1-vm: off\n"])?;
    nothing_is_left(&desk)
}

/// Ctrl-C shuts it down, while it starts and when it is up; and a `deploy vm` that is killed takes its
/// machine along.
pub fn ends_with_its_owner(lab: &mut Lab) -> Result<()> {
    let desk = Desk::new(lab)?;
    let command = line(&format!("vm {NAME} --key {KEY}"));
    let begin = || desk.mac.command(["sh", "-c", &command]).on_terminal();
    let says = |terminal: &Terminal, word: &str| {
        wait::until(word, SLOW, || Ok(terminal.shown()?.contains(word)))
    };
    let mut terminal = begin()?;
    says(&terminal, "starting (at most")?;
    terminal.types("\x03")?;
    Said::of(&terminal.wait(SLOW)?).ends(130, &["frame1-vm: is off"])?;
    nothing_is_left(&desk)?;

    let mut terminal = begin()?;
    says(&terminal, "Ctrl-C shuts it down")?;
    // The guest reads the key that was named, in the file that docs/vm.md names.
    let sum = desk.mac.sh(&format!("sha256sum < {KEY}"))?;
    ensure!(desk.inside(&format!("'sha256sum < {SHOWN}'"))? == sum, "the guest has another key");
    terminal.types("\x03")?;
    Said::of(&terminal.wait(SLOW)?).ends(0, &["shutting down", "frame1-vm: is off"])?;
    desk.deploy(&format!("vm status {NAME}"))?.ends(1, &["frame1-vm: off\n"])?;
    nothing_is_left(&desk)?;

    let terminal = begin()?;
    says(&terminal, "Ctrl-C shuts it down")?;
    desk.mac.sh("kill -KILL $(pgrep -o -f '[d]eploy vm frame1-vm --key')")?;
    wait::until("it is off", SLOW, || Ok(desk.deploy(&format!("vm status {NAME}"))?.code == 1))?;
    nothing_is_left(&desk)
}

pub fn refusals(lab: &mut Lab) -> Result<()> {
    let desk = Desk::new(lab)?;
    desk.deploy("vm frame9")?.ends(1, &["has no machine `frame9`", "did you mean"])?;
    desk.deploy("vm status")?.ends(1, &["no virtual machine has a disk here"])?;
    desk.deploy(&format!("vm {NAME} --key /nowhere"))?.ends(1, &["the key /nowhere cannot be"])?;
    let listener = desk.mac.command(["python3", "-c", LISTEN]).spawn()?;
    wait::until("the port is taken", wait::PATIENCE, || Ok(listener.stdout()?.contains("taken")))?;
    desk.deploy(&format!("vm {NAME}"))?.ends(1, &["port 2222 of 127.0.0.1 is in use"])?;
    desk.mac.sh("mv /usr/bin/qemu-img /usr/bin/qemu-img.away")?;
    desk.deploy(&format!("vm {NAME} --port 2223:22"))?
        .ends(1, &["the disk of frame1-vm cannot be made", "qemu-img"])?;
    desk.mac.sh("mv /usr/bin/qemu-img.away /usr/bin/qemu-img")?;
    desk.mac.sh("mv /usr/bin/qemu-system-x86_64 /usr/bin/qemu.away")?;
    desk.deploy(&format!("vm {NAME} --port 2223:22"))?
        .ends(1, &["frame1-vm was not started", "qemu-system-x86_64"])?;
    desk.mac.sh("mv /usr/bin/qemu.away /usr/bin/qemu-system-x86_64")?;
    desk.deploy(&format!("vm {NAME} --port 2223:22 --disk-size 8192"))?
        .ends(1, &["keeps its size"])?;
    // Another one starts it.
    let lock = format!("{STATE}.start");
    let mut other = desk.mac.command(["flock", &lock, "sleep", "600"]).spawn()?;
    wait::until("the lock is held", wait::PATIENCE, || {
        Ok(desk.mac.command(["flock", "--nonblock", &lock, "true"]).run()?.code != 0)
    })?;
    desk.deploy(&format!("vm {NAME} --port 2223:22"))?
        .ends(1, &["frame1-vm is being started by another deploy vm"])?;
    other.kill()?;
    desk.mac.sh(
        "free=$(df --output=avail -B 1M /root | tail -n 1); fallocate -l $((free - 500))M /root/big",
    )?;
    desk.deploy(&format!("vm {NAME} --port 2223:22 --fresh"))?
        .ends(1, &["there is no room for frame1-vm on this computer", "nothing was changed"])?;
    desk.mac.sh("rm /root/big")?;
    // The machine does not come up: its boot files name no system.
    desk.mac
        .sh(&format!("sed -i 's|init=/nix|init=/nowhere|' {STATE}/boot/extlinux/extlinux.conf"))?;
    desk.deploy(&format!("vm {NAME} --port 2223:22 --timeout 90"))?.ends(
        1,
        &["frame1-vm did not come up", "its SSH does not answer after 90 s", "is not in the store"],
    )?;
    desk.mac.sh(&format!("rm {STATE}/boot/extlinux/extlinux.conf"))?;
    desk.deploy(&format!("vm {NAME} --port 2223:22"))?.ends(1, &["--fresh makes"])?;
    nothing_is_left(&desk)
}

/// The operator's key, and where the guest reads it.
const KEY: &str = "/root/.ssh/id_ed25519";
const SHOWN: &str = "/sys/firmware/qemu_fw_cfg/by_name/opt/deploy/key/raw";

/// Listens on the port of SSH for some seconds.
const LISTEN: &str = "import socket, time; s = socket.create_server(('127.0.0.1', 2222)); \
                      print('taken', flush=True); time.sleep(600)";
