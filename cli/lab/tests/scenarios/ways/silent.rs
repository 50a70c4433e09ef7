//! Machines that accept a connection and send nothing, or too little.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::{Lab, wait};

use super::{end_on_terminal, on_terminal, second};
use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] = &[
    Scenario::new(
        "an-sshd-that-says-nothing-is-given-up-and-one-that-drips-is-said-to-be-waited-for",
        sshd,
    ),
    Scenario::new(
        "a-machine-that-accepts-a-login-and-says-nothing-is-said-to-be-waited-for",
        logged_in,
    ),
    Scenario::new("an-agent-that-says-nothing-is-said-to-be-waited-for", agent),
];

/// A server that sends nothing on port 2222, and one byte per second on port 2223.
const SERVERS: &str = r#"
use IO::Socket::INET;
$SIG{PIPE} = "IGNORE";
for my $port (2222, 2223) {
  next if fork;
  my $server = IO::Socket::INET->new(LocalPort => $port, Listen => 5, ReuseAddr => 1) or die;
  print STDERR "listens\n";
  while (my $client = $server->accept) {
    next if fork;
    $client->autoflush(1);
    do { sleep 1 } while $port == 2222 || print $client "S";
    exit;
  }
}
sleep 1 while 1"#;

fn sshd(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.wants(second())?;
    let servers = scene.frame1.command(["perl", "-e", SERVERS]).spawn()?;
    wait::until("both servers listen", wait::PATIENCE, || {
        Ok(servers.stderr()?.matches("listens").count() == 2)
    })?;
    let begun = Instant::now();
    let said = scene.deploy("frame1 --ssh-opts '-p 2222'")?;
    said.ends(1, &["cannot log in to frame1", "timed out", "state: nothing was changed"])?;
    ensure!(begun.elapsed() < Duration::from_secs(60), "it took {:?}", begun.elapsed());
    // `ssh` itself has no limit for a slow greeting.
    let untouched = ["interrupted; frame1 was not touched"];
    ends_at_ctrl_c(&scene, "frame1 --ssh-opts '-p 2223'", "the login", &untouched)
}

/// Makes every login with the operator's key run this command instead.
fn answers_with(scene: &Scene, command: &str) -> Result<()> {
    let keys = scene.frame1.read("/root/.ssh/authorized_keys")?;
    let keys: String = keys.lines().map(|key| format!("command=\"{command}\" {key}\n")).collect();
    scene.frame1.write("/root/.ssh/authorized_keys", keys, 0o600)
}

/// Waits until a deploy reports that it waits for `what`, and then interrupts it with Ctrl-C.
fn ends_at_ctrl_c(scene: &Scene, args: &str, what: &str, parts: &[&str]) -> Result<()> {
    let mut terminal = on_terminal(&scene.mac, args)?;
    let note = format!("{what} has not answered for 15 s; waiting for at most ");
    wait::until("deploy says what it waits for", Duration::from_secs(120), || {
        Ok(terminal.shown()?.contains(&note))
    })
    .with_context(|| terminal.shown().unwrap_or_default())?;
    let begun = Instant::now();
    terminal.types("\x03")?;
    end_on_terminal(terminal)?.ends(130, parts)?;
    ensure!(begun.elapsed() < Duration::from_secs(40), "it took {:?}", begun.elapsed());
    Ok(())
}

fn logged_in(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.wants(second())?;
    answers_with(&scene, "exec sleep 1000")?;
    ends_at_ctrl_c(&scene, "frame1", "the login", &["interrupted; frame1 was not touched"])
}

/// Everything over the login is answered, but the agent is silent. The script is the start of the
/// standard input, and the command line has its length.
const SERVE: &str = r#"case "$SSH_ORIGINAL_COMMAND" in
*'head -c '*) ;;
*) exec sh -c "$SSH_ORIGINAL_COMMAND" ;;
esac
count=${SSH_ORIGINAL_COMMAND##*head -c }
script=$(head -c "${count%%)*}")
case "$script" in *'exec /nix/store/'*'deploy-agent serve'*) exec sleep 1000 ;; esac
{ printf '%s\n' "$script"; cat; } | sh -c "$SSH_ORIGINAL_COMMAND""#;

fn agent(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let before = scene.runs()?;
    scene.wants(second())?;
    scene.frame1.write("/root/serve", SERVE, 0o600)?;
    answers_with(&scene, "sh /root/serve")?;
    let parts = ["interrupted; frame1 was not told to switch", "state: nothing was changed"];
    ends_at_ctrl_c(&scene, "frame1", "the agent", &parts)?;
    scene.ends_on(&before)
}
