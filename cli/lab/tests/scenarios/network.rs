//! Faults of the simulated network.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use deploy_lab::hosts::relay::{Direction, Relay, RoadSpec, Traffic};
use deploy_lab::hosts::{Admission, Host, Lab, Link, wait};
use deploy_lab::systems::PAIR;

use crate::harness::Scenario;
use crate::scene::logs_in;

pub const ALL: &[Scenario] = &[
    Scenario::new("a-cut-cable-carries-nothing-until-it-is-joined", cut),
    Scenario::new("new-connections-fail-while-an-old-one-lives", old_only),
    Scenario::new("a-capped-cable-takes-its-time", rate),
    Scenario::new("a-relay-delays-counts-holds-and-swallows", relay),
];

fn pair(lab: &mut Lab) -> Result<(Host, Host)> {
    let mac = lab.prepared(&PAIR, "mac")?;
    let frame1 = lab.prepared(&PAIR, "frame1")?;
    mac.boot()?;
    frame1.boot()?;
    frame1.wait_until_up()?;
    Ok((mac, frame1))
}

fn cut(lab: &mut Lab) -> Result<()> {
    let (mac, frame1) = pair(lab)?;
    mac.sh("ssh frame1 true")?;
    frame1.link(Link::Cut)?;
    let refused = mac.command(["ssh", "-o", "ConnectTimeout=1", "frame1", "true"]).run()?;
    ensure!(refused.code == 255, "{refused:?}");
    frame1.link(Link::Joined)?;
    logs_in(&mac, wait::PATIENCE)
}

fn old_only(lab: &mut Lab) -> Result<()> {
    let (mac, frame1) = pair(lab)?;
    mac.sh("ssh -o ControlMaster=yes -o ControlPath=/root/old -o ControlPersist=yes frame1 true")?;
    frame1.admit(Admission::OldOnly)?;
    let refused = mac.command(["ssh", "-o", "ConnectTimeout=1", "frame1", "true"]).run()?;
    ensure!(refused.code == 255, "{refused:?}");
    mac.sh("ssh -o ControlPath=/root/old frame1 true")?;
    // The limit survives a reboot, and can be removed.
    frame1.power_cut_and_boot()?;
    ensure!(frame1.wait_for_ssh(Duration::from_secs(1)).is_err(), "it is forgotten at a reboot");
    frame1.admit(Admission::All)?;
    logs_in(&mac, wait::PATIENCE)
}

fn rate(lab: &mut Lab) -> Result<()> {
    let (mac, frame1) = pair(lab)?;
    frame1.rate(Some(8))?;
    let begun = Instant::now();
    mac.sh("head -c 2000000 /dev/urandom | ssh frame1 'cat > /dev/null'")?;
    ensure!(begun.elapsed() > Duration::from_millis(1500), "2 MB took {:?}", begun.elapsed());
    frame1.rate(None)
}

fn relay(lab: &mut Lab) -> Result<()> {
    let (mac, frame1) = pair(lab)?;
    let spec = RoadSpec { one_way: Duration::from_millis(50), mbit_per_second: None };
    let relay = Relay::start(&frame1, spec)?;
    let begun = Instant::now();
    ensure!(mac.sh("ssh frame1-far hostname")? == "frame1", "another machine answered");
    ensure!(begun.elapsed() > Duration::from_millis(400), "no delay: {:?}", begun.elapsed());
    ensure!(relay.connections() == 1, "{} connections", relay.connections());

    let before = relay.bytes(Direction::ToHost);
    let mut push =
        mac.command(["sh", "-c", "ssh frame1-far 'cat > /root/pushed' < /dev/zero"]).spawn()?;
    wait::until("the push is on its way", wait::PATIENCE, || {
        Ok(relay.bytes(Direction::ToHost) > before + 1_000_000)
    })?;
    relay.set(Direction::ToHost, Traffic::Held);
    let size = || frame1.sh("stat -c %s /root/pushed");
    // Data in flight still arrives after the delay of one direction.
    let grows = |first: &str| {
        wait::until("the file grows", Duration::from_millis(300), || Ok(size()? != first)).is_ok()
    };
    let held = wait::value("the held push stands still", wait::PATIENCE, || {
        let first = size()?;
        Ok((!grows(&first)).then_some(first))
    })?;
    relay.set(Direction::ToHost, Traffic::Passes);
    wait::until("the push goes on", wait::PATIENCE, || Ok(size()? != held))?;
    push.kill()?;

    // What mac sends arrives; what frame1 answers is lost. The first data follows sshd's permission
    // to send, without which ssh waits.
    let question = "mkfifo /root/line; exec 3<>/root/line; \
                    ssh frame1-far 'echo asked; read x; touch /root/heard; echo heard' <&3";
    let mut asking = mac.command(["sh", "-c", question]).spawn()?;
    let has = |file: &str| Ok(frame1.root().join(file).exists());
    wait::until("frame1 listens", wait::PATIENCE, || Ok(asking.stdout()? == "asked\n"))?;
    relay.set(Direction::FromHost, Traffic::Swallowed);
    let before = relay.bytes(Direction::FromHost);
    mac.sh("echo now > /root/line")?;
    wait::until("frame1 heard", wait::PATIENCE, || has("root/heard"))?;
    wait::until("frame1 answered", wait::PATIENCE, || {
        Ok(relay.bytes(Direction::FromHost) > before)
    })?;
    ensure!(asking.is_running()? && asking.stdout()? == "asked\n", "the answer arrived");
    asking.kill()
}
