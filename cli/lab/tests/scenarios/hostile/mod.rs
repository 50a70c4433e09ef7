//! A hostile user without rights on the machine, who holds every lock that they can.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::{Host, HostCommand, Running, wait};

const PROGRAM: &str = include_str!("user.pl");

/// The pause before the user's program is started again on a machine that is off or going down.
const AGAIN: Duration = Duration::from_millis(100);

/// Files that an older agent left, with the open permissions that the umask of root's login gave
/// them.
pub const OPEN: &str = "\
mkdir -p /nix/var/deploy-agent/attempts /run/deploy-agent /run/nixos
cd /; touch nix/var/deploy-agent/lock run/deploy-agent/stage.lock run/nixos/switch-to-configuration.lock
chmod 755 nix/var/deploy-agent nix/var/deploy-agent/attempts run/deploy-agent run/nixos
chmod 644 nix/var/deploy-agent/lock run/deploy-agent/stage.lock run/nixos/switch-to-configuration.lock";

/// A command as the user `nobody`.
pub fn as_nobody(host: &Host, words: &[&str]) -> HostCommand {
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    host.command([&nobody[..], words].concat())
}

/// The hostile user. Their program runs from the first moment of each boot until the value is
/// dropped.
pub struct User {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    host: Host,
    over: AtomicBool,
    running: Mutex<Option<Running>>,
}

impl User {
    /// Starts the program and returns once it holds the locks.
    pub fn begin(host: &Host) -> Result<Self> {
        let shared = Arc::new(Shared {
            host: host.clone(),
            over: AtomicBool::new(false),
            running: Mutex::new(None),
        });
        let keeps = shared.clone();
        let thread = thread::spawn(move || {
            while !keeps.over.load(Ordering::Relaxed) {
                keeps.start();
                thread::sleep(AGAIN);
            }
        });
        let user = Self { shared, thread: Some(thread) };
        user.is_at_work()?;
        Ok(user)
    }

    /// Waits until the program holds the locks, also after a boot. Returns what it holds, one line
    /// each.
    pub fn is_at_work(&self) -> Result<String> {
        wait::value("the user holds all that he can", wait::PATIENCE, || {
            let said = self.shared.said()?;
            Ok(said.filter(|said| said.lines().any(|line| line == "ready")))
        })
        .with_context(|| self.shared.complains())
    }

    /// The locks of `deploy-agent` and of NixOS's switch that the user holds. The other files are
    /// not waited for.
    pub fn locks(&self) -> Result<Vec<String>> {
        let said = self.is_at_work()?;
        let locks = said.lines().filter_map(|line| line.strip_prefix("lock "));
        let is_waited_for = |file: &&str| file.ends_with(".lock") || file.ends_with("-agent/lock");
        Ok(locks.filter(is_waited_for).map(str::to_owned).collect())
    }

    /// Describes how many of the locks the user holds.
    pub fn evidence(&self) -> Result<String> {
        let said = self.is_at_work()?;
        let count = |word| said.lines().filter(|line| line.starts_with(word)).count();
        let ports = said.lines().find_map(|line| line.strip_prefix("ports "));
        let ports: usize = ports.context("no word of ports")?.parse()?;
        let (locks, folders, sockets) = (count("lock "), count("folder "), count("socket "));
        ensure!(ports > 8000 && locks > 3 && folders > 1 && sockets > 1, "he holds little: {said}");
        Ok(format!(
            "a user holds {ports} ports, {locks} locks, {folders} folders, {sockets} sockets"
        ))
    }
}

impl Shared {
    /// Starts the program where it does not run. A machine that is off has no processes.
    fn start(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if !running.as_mut().is_some_and(|running| running.is_running().unwrap_or(false)) {
            *running = None;
            let program = ["prlimit", "--nofile=16384", "perl", "-e", PROGRAM];
            *running = as_nobody(&self.host, &program).spawn().ok();
        }
    }

    /// Why the program does not run.
    fn complains(&self) -> String {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().and_then(|running| running.stderr().ok()).unwrap_or_default()
    }

    /// The program's output since the machine booted.
    fn said(&self) -> Result<Option<String>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(running) = running.as_mut() else { return Ok(None) };
        Ok(if running.is_running()? { Some(running.stdout()?) } else { None })
    }
}

impl Drop for User {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let mut running = self.shared.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = running.as_mut() {
            let _ = running.kill();
        }
    }
}
