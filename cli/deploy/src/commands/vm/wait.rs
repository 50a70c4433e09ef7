//! Waits until a machine answers and its checks pass.

use std::{net::Ipv4Addr, time::Duration};

use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use super::{launch::StartedVm, look, ssh};
use crate::{
    error::{Failure, Result},
    report::{Event, Report},
    tools::process::ProcessError,
    vm::{
        computer::{Acceleration, Computer},
        folder::VmFolder,
        ports,
        qemu::CONSOLE,
    },
};

/// How long a machine may take.
const ACCELERATED: Duration = Duration::from_secs(300);
/// The same where qemu emulates the processor.
const EMULATED: Duration = Duration::from_secs(1800);
/// How long the checks may take until they pass, where the flake does not say.
pub const CHECKS_PASS: Duration = Duration::from_secs(180);
/// How long to wait for a line of sshd's. qemu takes the connection itself, before the guest does.
const GREETS: Duration = Duration::from_secs(5);
/// How many lines of the console a failure shows.
const SHOWN: usize = 20;
/// The agent's command for the checks of the system that runs.
const CHECKS: &str = "/run/current-system/sw/bin/deploy-agent checks";

/// What came of the declared checks.
pub enum Checked {
    /// All pass: so many.
    Passing(usize),
    /// They could not be looked at.
    NotLookedAt(String),
}

/// Waits for SSH, for `limit` at most, and then for the checks.
pub async fn until_up(
    started: &StartedVm,
    limit: Option<Duration>,
    for_checks: Duration,
    report: &Report,
) -> Result<Checked> {
    let StartedVm { folder, image, ports: forwards, .. } = started;
    let name = folder.name();
    let is_emulated =
        matches!(Computer::look().acceleration(&image.system), Acceleration::Emulated(_));
    let limit = limit.unwrap_or(if is_emulated { EMULATED } else { ACCELERATED });
    let begun = Instant::now();
    let end = begun + limit;
    let Some(port) = ports::here_for(forwards, ports::SSH) else {
        return Err(Failure::unchanged(format!("{name} cannot be asked: no port leads to its 22")));
    };
    report.note(name, format!("starting (at most {} s)", limit.as_secs()));
    while !greets(port).await {
        if !folder.is_on()? {
            return Err(late(folder, "it went off while it started"));
        }
        if Instant::now() > end {
            let why = format!("its SSH does not answer after {} s", limit.as_secs());
            return Err(late(folder, &why));
        }
        sleep(Duration::from_millis(200)).await;
    }
    report.note(name, format!("SSH answers after {} s", begun.elapsed().as_secs()));
    checks(folder, port, Instant::now() + for_checks, report).await
}

/// Whether sshd sends its first line.
async fn greets(port: u16) -> bool {
    let greeting = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        let mut begin = [0; 4];
        stream.read_exact(&mut begin).await?;
        std::io::Result::Ok(&begin == b"SSH-")
    };
    matches!(timeout(GREETS, greeting).await, Ok(Ok(true)))
}

/// Waits until the declared checks pass.
async fn checks(folder: &VmFolder, port: u16, end: Instant, report: &Report) -> Result<Checked> {
    let name = folder.name();
    let asks = ssh::to(folder, port, "root").args(["-o", "BatchMode=yes", CHECKS]);
    loop {
        let error = match asks.output().await {
            Ok(said) => {
                let said = String::from_utf8_lossy(&said);
                let passing = said.lines().filter(|line| line.starts_with("passes ")).count();
                report.note(name, format!("all {passing} declared checks pass"));
                return Ok(Checked::Passing(passing));
            }
            Err(error) => error,
        };
        match &error {
            ProcessError::Status { status, .. } if status.code() == Some(1) => {
                if Instant::now() > end {
                    let failing = error.stderr().lines().collect::<Vec<_>>().join("\n");
                    return Err(late(folder, "its checks do not pass").because(failing));
                }
                sleep(Duration::from_secs(1)).await;
            }
            // No key of this user is accepted, or the system has no agent.
            _ => {
                let last = error.stderr().lines().last().unwrap_or_default().to_owned();
                let why = format!("{error}: {last}");
                let text = format!("its checks were not looked at: {why}");
                report.tell(Event::Warning { machine: Some(name.to_owned()), text });
                return Ok(Checked::NotLookedAt(why));
            }
        }
    }
}

fn late(folder: &VmFolder, why: &str) -> Box<Failure> {
    let name = folder.name();
    let console = look::tail(&folder.path().join(CONSOLE), SHOWN).unwrap_or_default();
    let console = match console.is_empty() {
        true => "its console is empty".to_owned(),
        false => format!("the end of its console:\n{}", console.join("\n")),
    };
    Failure::unchanged(format!("{name} did not come up"))
        .because(why)
        .because(console)
        .hint(Some(format!("deploy vm logs {name} shows all of it")))
}
