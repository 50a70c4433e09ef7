//! Logins, and the questions that they ask.

use anyhow::{Result, ensure};
use deploy_lab::hosts::{ASKADMIN_PASSWORD, Host, Lab, Terminal};
use deploy_lab::systems::{Fleet, Generation};

use super::{accepted, end_on_terminal, logins, on_terminal, one_more, runs_generation, second};
use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] = &[
    Scenario::new("a-sudo-user-outside-trusted-users-deploys", sudo_user),
    Scenario::new("the-page-s-line-of-trusted-users-makes-nix-trust-its-group", trusted),
    Scenario::new("a-sudo-password-goes-to-the-machine-it-was-typed-for", password),
    Scenario::new("a-key-s-passphrase-is-asked-on-the-terminal", passphrase),
    Scenario::new("a-password-login-is-asked-again-or-refused-before-the-build", typed),
    Scenario::new("an-unchanged-deploy-logs-in-once-and-a-changed-one-twice", counted),
    Scenario::new("four-sessions-over-one-login-are-enough", sessions),
];

fn sudo_user(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let trusted = scene.frame1.sh("grep trusted-users /etc/nix/nix.conf")?;
    ensure!(trusted == "trusted-users = root", "Nix trusts others as well: {trusted}");
    scene.has(Fleet::of("frame1", second()).node("frame1", "sshUser", "admin"))?;
    let wanted = scene.wanted()?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    ensure!(accepted(&scene.frame1)?.iter().all(|line| line.contains("for admin from")));
    scene.deploy("frame1")?.ends(0, &["already up to date"])?;
    scene.ends_on(&wanted)
}

/// The line that docs/deployment.md has for a Mac, where the group `admin` may use sudo.
fn trusted(lab: &mut Lab) -> Result<()> {
    const LINE: &str = "trusted-users = root @admin";
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/deployment.md");
    ensure!(std::fs::read_to_string(page)?.contains(LINE), "{page} has another line");
    let scene = Scene::new(lab)?;
    let asked = "runuser -u admin -- env NIX_REMOTE=daemon nix store ping 2>&1";
    let before = scene.mac.sh(asked)?;
    ensure!(before.contains("Trusted: 0"), "Nix trusts admin before: {before}");
    scene.mac.sh(&format!(
        "sed -i '/^trusted-users/d' /etc/nix/nix.conf; echo '{LINE}' >> /etc/nix/nix.conf; \
         systemctl restart nix-daemon.service"
    ))?;
    let after = scene.mac.sh(asked)?;
    ensure!(after.contains("Trusted: 1"), "Nix does not trust admin: {after}");
    Ok(())
}

/// The password of one machine is asked for by the flake, that of both by the flag; it is typed
/// once for each. /tmp is mounted as on a hardened computer.
fn password(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let frame2 = one_more(lab, &scene.mac, "frame2")?;
    let fleet = |number| {
        ["frame1", "frame2"].into_iter().fold(Fleet::default(), |fleet, name| {
            fleet
                .machine(name, Generation::new(name, number))
                .node(name, "sshUser", "askadmin")
                .node(name, "interactiveSudo", true)
        })
    };
    scene.mac.sh("mount -t tmpfs -o noexec,mode=1777 tmp /tmp")?;
    for (number, args) in
        [(2, "frame1 frame2"), (3, "frame1 frame2 --ask-sudo-password --build-on target")]
    {
        scene.has(fleet(number))?;
        let mut terminal = on_terminal(&scene.mac, args)?;
        for name in ["frame1", "frame2"] {
            terminal.wait_for(&format!("sudo password on {name}"))?;
            terminal.types(&format!("{ASKADMIN_PASSWORD}\n"))?;
        }
        let said = end_on_terminal(terminal)?;
        said.ends(0, &["frame1: committed", "frame2: committed"])?;
        let asked = said.text.matches("sudo password on").count();
        ensure!(asked == 2, "asked {asked} times:\n{}", said.text);
        ensure!(!said.text.contains(ASKADMIN_PASSWORD), "the password is shown:\n{}", said.text);
        runs_generation(&scene.frame1, number)?;
        runs_generation(&frame2, number)?;
    }
    is_in_no_file(&scene.mac)
}

/// No file of the operator's programs contains the password.
pub fn is_in_no_file(mac: &Host) -> Result<()> {
    let places = ["/tmp", "/root", "/run", "/var/tmp", "/dev/shm"];
    let search = ["grep", "-rlsI", "--devices=skip", ASKADMIN_PASSWORD];
    let found = mac.command(search.into_iter().chain(places)).run()?.stdout;
    ensure!(found.is_empty(), "the password is on the disk: {found}");
    Ok(())
}

fn passphrase(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.wants(second())?;
    let wanted = scene.wanted()?;
    scene.mac.sh("ssh-keygen -q -p -P '' -N 'open sesame' -f /root/.ssh/id_ed25519")?;
    let mut terminal = on_terminal(&scene.mac, "frame1")?;
    // Both logins ask: the first one, and the new one that confirms.
    for login in 1..=2 {
        deploy_lab::hosts::wait::until("ssh asks", std::time::Duration::from_secs(60), || {
            Ok(terminal.shown()?.matches("Enter passphrase").count() == login)
        })?;
        terminal.types("open sesame\n")?;
    }
    end_on_terminal(terminal)?.ends(0, &["committed"])?;
    scene.mac.sh("ssh-keygen -q -p -P 'open sesame' -N '' -f /root/.ssh/id_ed25519")?;
    scene.ends_on(&wanted)
}

/// Without a person at the terminal, the confirmation would wait in vain and the machine would roll
/// back.
fn typed(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let allows = |number| {
        let system = Generation::new("frame1", number);
        system.sshd_config("PasswordAuthentication yes\nMaxAuthTries 20")
    };
    scene.wants(allows(2))?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    scene.frame1.sh("echo 'admin:open sesame' | chpasswd")?;
    scene.has(Fleet::of("frame1", allows(3)).node("frame1", "sshUser", "admin"))?;
    let args = "frame1 --ssh-opts '-o PubkeyAuthentication=no'";
    let asks = |terminal: &Terminal, login| {
        deploy_lab::hosts::wait::until("ssh asks", std::time::Duration::from_secs(60), || {
            Ok(terminal.shown()?.matches("admin@frame1's password").count() == login)
        })
    };
    let mut alone = on_terminal(&scene.mac, &format!("{args} < /dev/null"))?;
    asks(&alone, 1)?;
    alone.types("open sesame\n")?;
    let refused = end_on_terminal(alone)?;
    refused.ends(1, &["a switch of frame1 could not be confirmed", "nothing was changed"])?;
    ensure!(!refused.text.contains("frame1: building"), "{}", refused.text);
    let mut terminal = on_terminal(&scene.mac, args)?;
    for login in 1..=2 {
        asks(&terminal, login)?;
        terminal.types("open sesame\n")?;
    }
    let told = "asks for the password of admin again, within ";
    end_on_terminal(terminal)?.ends(0, &[told, "committed"])?;
    runs_generation(&scene.frame1, 3)
}

fn counted(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.wants(second())?;
    let before = logins(&scene.frame1)?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    let changed = logins(&scene.frame1)?;
    ensure!(changed - before == 2, "{} logins for a changed deploy", changed - before);
    scene.deploy("frame1")?.ends(0, &["already up to date"])?;
    let unchanged = logins(&scene.frame1)? - changed;
    ensure!(unchanged == 1, "{unchanged} logins for an unchanged deploy");
    Ok(())
}

/// sshd's `MaxSessions`, which hardening guides reduce.
fn sessions(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let allows = |number, sessions: u32| {
        let line = format!("MaxSessions {sessions}");
        Fleet::of("frame1", Generation::new("frame1", number).sshd_config(&line))
    };
    scene.has(allows(2, 4))?;
    scene.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    scene.has(allows(3, 1))?;
    let wanted = scene.wanted()?;
    scene.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    scene.has(allows(4, 10))?;
    let said = scene.deploy("frame1")?;
    said.ends(1, &["MaxSessions", "state: nothing was changed"])?;
    scene.ends_on(&wanted)
}
