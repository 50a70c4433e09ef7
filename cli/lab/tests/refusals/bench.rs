//! The two hosts that cases are tried on, one after the other.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::{Host, Lab, programs};
use deploy_lab::systems::{BASELINE, FOLDER, Fleet, Generation};

use crate::case::{Case, Typed};
use crate::machine;
use crate::words::{self, difference};

const ANSWER: Duration = Duration::from_secs(30);

/// Shell that every script on the operator's machine may use: `node`, `generation` and
/// `profile` change frame1's settings in the flake by a jq expression.
const HELPERS: &str = r#"
edit() { jq "$1" machines/frame1.json > /tmp/edited; cat /tmp/edited > machines/frame1.json; }
node() { edit ".node |= ($1)"; }
generation() { edit ".generation |= ($1)"; }
profile() { edit ".profile |= ($1)"; }
commit() { git add --all; git commit --quiet --message "$*"; }
"#;

/// The operator's machine with a flake that wants generation 2 of frame1, which runs 1.
pub struct Bench {
    mac: Host,
    frame1: Host,
    /// What frame1 is between cases.
    rest: String,
    /// The case after which the hosts are of no use to others.
    broken_by: Option<String>,
}

impl Bench {
    /// Boots both.
    pub fn set_up(lab: &mut Lab) -> Result<Self> {
        let mac = lab.prepared(&BASELINE, "mac")?;
        let frame1 = lab.prepared(&BASELINE, "frame1")?;
        mac.boot()?;
        frame1.boot()?;
        frame1.wait_until_up()?;
        mac.wait_until_up()?;
        // Too many hosts at once leave the kernel without inotify instances.
        let failed = frame1.sh("systemctl --failed --plain --no-legend")?;
        ensure!(failed.is_empty(), "frame1 came up with failed units:\n{failed}");
        programs::install(&mac)?;
        mac.sh("git config --global user.name anna; git config --global user.email anna@mac")?;
        Fleet::of("frame1", Generation::new("frame1", 2)).write(&mac)?;
        let rest = machine::state(&frame1)?;
        Ok(Self { mac, frame1, rest, broken_by: None })
    }

    /// Tries one case; gives what is wrong.
    pub fn run(&mut self, case: &Case) -> Result<Option<String>> {
        if let Some(name) = &self.broken_by {
            return Ok(Some(format!("not tried: {name} left its hosts as they were not before")));
        }
        let start = self.on_operator("git rev-parse HEAD")?;
        let tried = self.tried(case);
        let undone = self.undo(case, start.trim());
        if undone.as_ref().map_or(true, Option::is_some) {
            self.broken_by = Some(case.name.clone());
        }
        let wrong = [tried, undone]
            .into_iter()
            .filter_map(|verdict| verdict.unwrap_or_else(|error| Some(format!("{error:#}"))));
        Ok(wrong.reduce(|all, one| format!("{all}\n{one}")))
    }

    /// Puts everything back; gives what is not.
    fn undo(&self, case: &Case, start: &str) -> Result<Option<String>> {
        let undone = || -> Result<()> {
            self.on_operator(&format!("git reset -q --hard {start}; git clean -qfdx"))?;
            self.on_operator(&case.text.undo_operator)?;
            self.frame1.sh(&case.text.undo_machine).map(drop)
        };
        undone().context("what the case changed cannot be undone")?;
        let now = machine::state(&self.frame1)?;
        Ok(changed(&self.rest, &now, "the case does not undo what it did"))
    }

    fn tried(&self, case: &Case) -> Result<Option<String>> {
        let text = &case.text;
        self.on_operator(&text.flake)?;
        self.frame1.sh(&text.machine)?;
        self.on_operator(&text.operator)?;
        let before = machine::state(&self.frame1)?;
        let (exit, said) = match &text.terminal {
            None => {
                let ended = self.operator(&format!("{} 2>&1", text.command)).run()?;
                (ended.code, ended.stdout)
            }
            Some(typed) => self.on_terminal(&text.command, typed)?,
        };
        let wrong = words::compare(case, exit, &said)?;
        let after = machine::state(&self.frame1)?;
        Ok(wrong.or_else(|| changed(&before, &after, "the machine is not what it was")))
    }

    fn operator(&self, script: &str) -> deploy_lab::hosts::HostCommand {
        let line = format!("{HELPERS}\ncd {FOLDER}\n{script}");
        self.mac
            .command(["sh", "-euc", &line])
            .env("PATH", "/opt/deploy/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("USER", "anna")
    }

    fn on_operator(&self, script: &str) -> Result<String> {
        if script.is_empty() {
            return Ok(String::new());
        }
        Ok(self.operator(script).run()?.success()?.stdout)
    }

    /// Runs a command line that has a terminal to ask on; what it prints goes to a file,
    /// so that what the terminal shows is questions alone.
    fn on_terminal(&self, command: &str, typed: &[Typed]) -> Result<(i32, String)> {
        let mut terminal = self.operator(&format!("{command} > /tmp/said 2>&1")).on_terminal()?;
        for Typed { after, line } in typed {
            terminal.wait_for(after)?;
            terminal.types(&format!("{line}\n"))?;
        }
        let exit = terminal.wait(ANSWER)?.code;
        Ok((exit, self.on_operator("cat /tmp/said")?))
    }
}

fn changed(before: &str, after: &str, what: &str) -> Option<String> {
    (before != after).then(|| format!("{what}\n{}", difference("before", before, "after", after)))
}
