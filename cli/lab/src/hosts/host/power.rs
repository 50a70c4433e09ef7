//! Switching a host on and off.

use std::fs::{self, File};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use rustix::time::{ClockId, clock_gettime};

use super::{Host, Power};
use crate::hosts::disk::Off;
use crate::hosts::{wait, words};

/// The limit from power-on until process 1 is systemd. The boot step activates a system in this
/// time.
const INIT_DEADLINE: Duration = Duration::from_secs(60);
/// The limit from systemd's start until the host is up.
const UP_DEADLINE: Duration = Duration::from_secs(60);
/// The pause between two questions to a systemd that does not answer yet.
const ASK_AGAIN: Duration = Duration::from_millis(200);
/// How long an orderly shutdown may take.
const HALT_DEADLINE: Duration = Duration::from_secs(100);

impl Host {
    /// Switches the host on and returns when systemd, its process 1, takes commands. Services start
    /// later: [`Host::wait_until_up`], [`Host::wait_for_ssh`].
    ///
    /// # Errors
    /// When the host is on, or its boot step failed; the error has the console's last lines.
    pub fn boot(&self) -> Result<()> {
        let mut state = self.state();
        if state.power.is_some() {
            bail!("{} is on already", self.name());
        }
        self.parts.disks.mount(self.parts.base.path())?;
        self.parts.cgroup.child("lab.commands")?;
        state.cable.plug()?;
        let pid_file = self.parts.folder.join("pid");
        if pid_file.exists() {
            fs::remove_file(&pid_file)?;
        }
        let mut command = self.unshare()?;
        command.arg("unshare");
        command.args(own_clocks());
        command.args(["--mount", "--pid", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child"]);
        command.args(["--propagation", "private"]);
        command.arg(std::env::current_exe()?).arg(words::INIT).arg(&self.parts.folder);
        let mut unshare = command.spawn().context("cannot start unshare")?;
        let pid = wait::value("systemd takes commands", INIT_DEADLINE, || {
            if let Some(status) = unshare.try_wait()? {
                bail!("{} did not boot ({status}):\n{}", self.name(), self.console()?);
            }
            let Ok(pid) = fs::read_to_string(&pid_file) else { return Ok(None) };
            let listens = Path::new("/proc").join(&pid).join("root/run/systemd/private").exists();
            Ok(listens.then(|| pid.parse()).transpose()?)
        });
        match pid {
            Ok(pid) => state.power = Some(Power { unshare, pid }),
            Err(error) => {
                self.parts.cgroup.kill()?;
                unshare.wait()?;
                state.cable.unplug()?;
                self.parts.disks.unmount(Off::Orderly)?;
                return Err(error);
            }
        }
        Ok(())
    }

    /// A command that enters the host's network and cgroup with `nsenter`, and then waits for the
    /// program to run.
    fn unshare(&self) -> Result<Command> {
        let console = File::options().create(true).append(true).open(self.console_path())?;
        let mut command = Command::new("nsenter");
        let namespace = self.parts.folder.join("netns");
        command
            .arg(format!("--net={}", namespace.display()))
            .stdin(Stdio::null())
            .stdout(console.try_clone()?)
            .stderr(console)
            .process_group(0);
        self.parts.cgroup.admit(&mut command)?;
        Ok(command)
    }

    /// Cuts the power. Every process ends at once, unsynced writes are lost, and the network sees
    /// nothing of the end.
    ///
    /// # Errors
    /// When the host is off, or something of it does not end.
    pub fn power_cut(&self) -> Result<()> {
        self.off(Off::PowerCut)
    }

    /// Shuts the host down like `systemctl poweroff`.
    ///
    /// # Errors
    /// When the host is off or does not end within 100 s.
    pub fn halt(&self) -> Result<()> {
        self.command(["systemctl", "--no-block", "poweroff"]).run()?.success()?;
        self.wait_for_end(HALT_DEADLINE)?;
        self.off(Off::Orderly)
    }

    /// Waits until the host reboots on its own, as in the last step of a rollback, and boots it. It
    /// is an error if the host goes off in another way.
    ///
    /// # Errors
    /// When it does not within `deadline`, or the boot fails.
    pub fn wait_for_reboot(&self, deadline: Duration) -> Result<()> {
        let status = self.wait_for_end(deadline)?;
        self.off(Off::Orderly)?;
        // reboot(2) ends process 1 of a namespace with a signal: SIGHUP for a reboot, SIGINT for a
        // power-off.
        if status.signal() != Some(Signal::HUP.as_raw()) {
            bail!("{} went off without asking for a reboot ({status})", self.name());
        }
        self.boot()
    }

    fn wait_for_end(&self, deadline: Duration) -> Result<ExitStatus> {
        wait::value(&format!("{} has shut down", self.name()), deadline, || {
            let mut state = self.state();
            let power = state.power.as_mut().context("the host is off")?;
            Ok(power.unshare.try_wait()?)
        })
    }

    /// Boots the host after a power cut and waits until it is up. Tests determine the boot default
    /// this way.
    ///
    /// # Errors
    /// As [`Host::power_cut`] and [`Host::boot`].
    pub fn power_cut_and_boot(&self) -> Result<()> {
        self.power_cut()?;
        self.boot()?;
        self.wait_until_up()
    }

    /// Whether the host went off by itself, or asked for a reboot.
    ///
    /// # Errors
    /// When it was switched off.
    pub fn has_ended(&self) -> Result<bool> {
        let mut state = self.state();
        Ok(state.power.as_mut().context("the host is off")?.unshare.try_wait()?.is_some())
    }

    /// Whether the host is on.
    pub fn is_on(&self) -> bool {
        self.state().power.is_some()
    }

    /// Waits until systemd has finished its start, successfully or not. A systemd that does not
    /// answer is asked again: on a busy machine its socket exists before it accepts connections.
    ///
    /// # Errors
    /// When it has not within 60 s.
    pub fn wait_until_up(&self) -> Result<()> {
        let begun = Instant::now();
        loop {
            let command = self.command(["systemctl", "is-system-running", "--wait"]);
            let said = command.spawn()?.wait(UP_DEADLINE)?;
            match said.stdout.trim() {
                "running" | "degraded" | "maintenance" => return Ok(()),
                "" if begun.elapsed() < UP_DEADLINE => thread::sleep(ASK_AGAIN),
                state => bail!("{} is not up but `{state}`: {}", self.name(), said.stderr.trim()),
            }
        }
    }

    /// Stops everything on the host until [`Host::wake`], as on a closed laptop. Its clocks
    /// continue, as the boot clock does.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn suspend(&self) -> Result<()> {
        self.parts.cgroup.freeze()
    }

    /// Ends [`Host::suspend`].
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn wake(&self) -> Result<()> {
        self.parts.cgroup.thaw()
    }

    /// The console output of all boots.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn console(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(self.console_path())?).into_owned())
    }

    /// The file of [`Host::console`].
    pub fn console_path(&self) -> PathBuf {
        self.parts.folder.join("console.log")
    }

    fn off(&self, off: Off) -> Result<()> {
        let mut state = self.state();
        let Some(mut power) = state.power.take() else { bail!("{} is off", self.name()) };
        if off == Off::PowerCut {
            state.cable.silence()?;
        }
        self.parts.cgroup.kill()?;
        power.unshare.wait()?;
        state.cable.unplug()?;
        self.parts.disks.unmount(off)?;
        self.parts.cgroup.remove()?;
        self.parts.cgroup.child("")?;
        Ok(())
    }
}

/// Offsets that make the host's uptime start at 0.
fn own_clocks() -> [String; 5] {
    let seconds = |clock| clock_gettime(clock).tv_sec;
    [
        "--time".into(),
        "--boottime".into(),
        format!("-{}", seconds(ClockId::Boottime)),
        "--monotonic".into(),
        format!("-{}", seconds(ClockId::Monotonic)),
    ]
}
