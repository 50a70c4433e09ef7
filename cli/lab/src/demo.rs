//! The demo: `deploy` on real hosts, in five acts. The output comes from `deploy` itself and from
//! questions over SSH. The scenario `the-demo-shows-what-it-says` verifies the facts of each act on
//! the machine.

pub mod secrets;

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::hosts::programs::{self, DEPLOY};
use crate::hosts::{Host, Lab, Running, wait};
use crate::systems::{BASELINE, FOLDER, Fault, Fleet, Generation, Unit};

/// How long one command of the demo may take.
const LIMIT: Duration = Duration::from_secs(120);

/// The interval at which the screen shows a command's output.
const FRAME: Duration = Duration::from_millis(50);

/// The confirmation's limit in seconds. The machine reaches it twice in the demo.
const CONFIRM: u64 = 8;

/// The hosts of the demo.
pub struct Demo<'out> {
    /// The operator's machine.
    pub mac: Host,
    /// The machine that is deployed to.
    pub frame1: Host,
    out: &'out mut dyn Write,
}

/// A finished act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// The title of the act.
    pub title: &'static str,
    /// The exit code of `deploy`; `None` if the power cut ended it.
    pub code: Option<i32>,
    /// What `deploy` printed.
    pub said: String,
    /// The generation that must run and be the boot default now.
    pub generation: u32,
}

/// Runs all acts and calls `after` with each finished one.
///
/// # Errors
/// When the lab does not do what it should, or `after` fails.
pub fn play(
    lab: &mut Lab,
    out: &mut dyn Write,
    mut after: impl FnMut(&Demo<'_>, &Act) -> Result<()>,
) -> Result<()> {
    let mac = lab.prepared(&BASELINE, "mac")?;
    let frame1 = lab.prepared(&BASELINE, "frame1")?;
    let mut demo = Demo { mac, frame1, out };
    demo.switch_on()?;
    for act in [Demo::first, Demo::again, Demo::without_ssh, Demo::power_cut, Demo::last] {
        let act = act(&mut demo)?;
        after(&demo, &act)?;
    }
    Ok(())
}

impl Demo<'_> {
    fn switch_on(&mut self) -> Result<()> {
        self.tell("Two hosts are switched on: `mac`, the operator's, and `frame1`, which runs generation 1.")?;
        self.mac.boot()?;
        self.frame1.boot()?;
        self.frame1.wait_until_up()?;
        self.mac.wait_until_up()?;
        programs::install(&self.mac)
    }

    fn first(&mut self) -> Result<Act> {
        self.act("1. A new system: it is built, pushed, activated, checked, confirmed and kept.")?;
        let hello = Unit::service("ExecStart=/bin/sleep infinity");
        self.wants(Generation::new("frame1", 2).unit("hello.service", hello))?;
        self.deploy("a new system", 2)
    }

    fn again(&mut self) -> Result<Act> {
        self.act("2. The same again: nothing is touched.")?;
        self.deploy("the same again", 2)
    }

    fn without_ssh(&mut self) -> Result<Act> {
        self.act("3. A system whose sshd is off: nobody could log in any more. The machine goes back by itself.")?;
        self.wants(Generation::new("frame1", 3).with(&Fault::NoSshd))?;
        self.deploy("a system without sshd", 2)
    }

    fn power_cut(&mut self) -> Result<Act> {
        self.act(
            "4. The power is cut while a system that nobody can log in to waits to be confirmed.",
        )?;
        self.wants(Generation::new("frame1", 4).with(&Fault::RefusedLogins))?;
        let mut running = self.begin("deploy frame1")?;
        let mut shown = 0;
        let waits = |running: &Running| Ok(running.stdout()?.contains("waiting for a new login"));
        wait::until("the machine waits to be confirmed", LIMIT, || {
            self.follow(&running, &mut shown)?;
            waits(&running)
        })?;
        self.frame1.power_cut()?;
        self.tell("~~~ power cut ~~~")?;
        running.kill()?;
        let said = running.stdout()?;
        self.frame1.boot()?;
        self.frame1.wait_for_ssh(LIMIT)?;
        self.tell("frame1 was switched on again; what does it say?")?;
        self.run("deploy status frame1")?;
        Ok(Act { title: "a power cut", code: None, said, generation: 2 })
    }

    fn last(&mut self) -> Result<Act> {
        self.act("5. The next system goes on from there.")?;
        self.wants(Generation::new("frame1", 5))?;
        self.deploy("the next system", 5)
    }

    fn wants(&self, generation: Generation) -> Result<()> {
        Fleet::of("frame1", generation).node("frame1", "confirmTimeout", CONFIRM).write(&self.mac)
    }

    fn deploy(&mut self, title: &'static str, generation: u32) -> Result<Act> {
        let (code, said) = self.run("deploy frame1")?;
        let facts =
            self.mac.sh("ssh frame1 'cat /etc/generation; readlink /run/current-system'")?;
        let (number, system) = facts.split_once('\n').context("frame1 does not tell")?;
        self.tell(&format!("(exit code {code}; frame1 runs generation {number}: {system})"))?;
        Ok(Act { title, code: Some(code), said, generation })
    }

    /// Runs a command line of `deploy` on mac and shows its output as it arrives.
    fn run(&mut self, line: &str) -> Result<(i32, String)> {
        let mut running = self.begin(line)?;
        let mut shown = 0;
        while running.is_running()? {
            self.follow(&running, &mut shown)?;
            std::thread::sleep(FRAME);
        }
        self.follow(&running, &mut shown)?;
        let output = running.wait(LIMIT)?;
        Ok((output.code, format!("{}{}", output.stdout, output.stderr)))
    }

    fn begin(&mut self, line: &str) -> Result<Running> {
        self.tell(&format!("mac$ {line}"))?;
        let words = line.strip_prefix("deploy ").context("the demo shows deploy")?;
        let script = format!("cd {FOLDER} && exec {DEPLOY} {words}");
        self.mac.command(["sh", "-c", &script]).spawn()
    }

    fn follow(&mut self, running: &Running, shown: &mut usize) -> Result<()> {
        let text = running.stdout()?;
        for line in text[*shown..].split_inclusive('\n') {
            if line.ends_with('\n') {
                write!(self.out, "  {line}")?;
                *shown += line.len();
            }
        }
        Ok(self.out.flush()?)
    }

    fn act(&mut self, title: &str) -> Result<()> {
        writeln!(self.out)?;
        self.tell(title)
    }

    fn tell(&mut self, line: &str) -> Result<()> {
        writeln!(self.out, "{line}")?;
        Ok(self.out.flush()?)
    }
}
