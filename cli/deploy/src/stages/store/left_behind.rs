//! Processes that this computer's deploys left behind on a machine when they lost their connection.

use crate::stages::ask::Probed;
use crate::{
    error::{Failure, Result},
    report::Report,
    tools::{
        lease::{self, Lease},
        private, shell,
    },
};

/// The folder of the leases, below the cache folder.
const FOLDER: &str = "leases";

const SCRIPT: &str = include_str!("left_behind.sh");

/// Ends processes that were left behind, and begins a lease for Nix's new processes on the machine.
pub async fn begin(probed: &Probed, report: &Report) -> Result<Lease> {
    let folder = private::kept(FOLDER);
    let of = whose(&probed.facts.identity.machine_id);
    end(probed, lease::left_behind(folder.as_deref(), &of), report).await;
    // sudo does not pass the variable to the installed agent, so no process could be found by it.
    let folder = folder.filter(|_| probed.installed().is_none());
    Lease::begin(folder.as_deref(), &of)
        .map_err(|error| Failure::unchanged("there are no random numbers").because(error))
}

/// Identifies the machine and this computer. Several computers may share a home and do not see each
/// other's locks, so each one handles only its own leases.
fn whose(machine: &str) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{machine} from {host}")
}

/// Ends processes that were left behind. Such a push holds the lock on the path it was receiving,
/// and the next push would wait for it until the machine's sshd drops the connection, after two
/// hours by default: `a-killed-deploy-leaves-no-ssh-and-no-nix` proves it. The machine is asked
/// only if there is an old lease. sudo puts its script into a variable of its own process, which
/// must not match: `the-next-deploy-ends-what-a-lost-connection-left-behind` proves it.
async fn end(probed: &Probed, left: Vec<Lease>, report: &Report) {
    if left.is_empty() {
        return;
    }
    let inner = script(&left);
    let name = &probed.machine.name;
    let not_looked = |why: String| {
        let what = "what a lost connection may have left behind was not looked for";
        report.note(name, format!("{what}: {why}"));
    };
    let script = match probed.root.wrap(&format!("sh -c {}", shell::quote(&inner))) {
        Ok(script) => script,
        Err(only) => return not_looked(only.to_string()),
    };
    let said = match probed.place.run(&script, &probed.root.stdin_prefix()).await {
        Ok(said) => said,
        // The leases stay, and a push that has to wait reports it.
        Err(error) => return not_looked(error.to_string()),
    };
    let found = Found::read(&said);
    if let Some(note) = found.note() {
        report.note(name, note);
    }
    if found.looked && found.lives.is_empty() {
        left.into_iter().for_each(Lease::finish);
    }
}

fn script(left: &[Lease]) -> String {
    let words: Vec<String> =
        left.iter().map(|lease| format!("{}={}", lease::VARIABLE, lease.word())).collect();
    format!("WORDS={}\n{SCRIPT}", shell::quote(&words.join(" ")))
}

/// The processes that were found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    ended: usize,
    lives: Vec<String>,
    looked: bool,
}

impl Found {
    fn read(said: &str) -> Self {
        let mut found = Self::default();
        for line in said.lines() {
            match line.split_once(' ').unwrap_or((line, "")) {
                ("@ended", _) => found.ended += 1,
                ("@lives", pid) => found.lives.push(pid.to_owned()),
                ("@looked", _) => found.looked = true,
                _ => {}
            }
        }
        found
    }

    fn note(&self) -> Option<String> {
        if !self.lives.is_empty() {
            let pids = self.lives.join(", ");
            return Some(format!(
                "a push that a lost connection left behind does not end: process {pids} there"
            ));
        }
        (self.ended > 0).then(|| "ended a push that a lost connection left behind".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_ended_is_told_and_what_is_gone_is_not() {
        let note = |said| Found::read(said).note();
        assert_eq!(note("@looked\n"), None);
        let ended = "welcome\n@ended /proc/7/environ\n@ended /proc/8/environ\n@looked\n";
        assert_eq!(note(ended).unwrap(), "ended a push that a lost connection left behind");
        let lives = Found::read("@ended /proc/7/environ\n@lives 7\n@looked\n");
        assert!(lives.note().unwrap().ends_with("does not end: process 7 there"));
        assert!(!Found::read("@ended /proc/7/environ\n").looked, "cut short");
    }

    #[test]
    fn only_words_of_leases_are_looked_for() {
        let leases = [Lease::begin(None, "m1").unwrap(), Lease::begin(None, "m1").unwrap()];
        let script = script(&leases);
        let words = script.lines().next().unwrap();
        let [a, b] = leases.each_ref().map(Lease::word);
        assert_eq!(words, format!("WORDS=\"DEPLOY_LEASE={a} DEPLOY_LEASE={b}\""));
    }
}
