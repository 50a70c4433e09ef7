use deploy_wire::attempt::AttemptId;

use super::*;

fn attempt(byte: u8) -> AttemptId {
    AttemptId::from_random([byte; 4])
}

fn check(name: &str, level: Level, issuer: &str) -> Check {
    let kind = CheckKind::Certificate {
        address: "127.0.0.1".into(),
        port: 443,
        sni: "a.example.org".into(),
        issuer: issuer.into(),
    };
    Check { name: name.into(), service: "caddy".into(), level, grace: 60, kind }
}

fn waiting(name: &str) -> Check {
    check(name, Level::RequiredOncePassed, "Let's Encrypt")
}

/// A history file, and the attempts that write it.
struct Machine {
    _folder: tempfile::TempDir,
    file: PassedChecks,
    confirmed: Option<AttemptId>,
    attempts: u8,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = PassedChecks::in_folder(folder.path());
        Self { _folder: folder, file, confirmed: None, attempts: 0 }
    }

    fn passed(&self) -> Vec<Passed> {
        self.file.read(self.confirmed.as_ref()).unwrap()
    }

    /// Runs an attempt up to the commit, in which the checks `passing` pass.
    fn attempt(&mut self, declared: &[Check], passing: &[&str]) -> AttemptId {
        self.attempts += 1;
        let attempt = attempt(self.attempts);
        let passes = |check: &Check| passing.contains(&check.name.as_str());
        self.file.write(&attempt, self.passed(), declared, passes).unwrap();
        attempt
    }

    fn committed(&mut self, declared: &[Check], passing: &[&str]) {
        self.confirmed = Some(self.attempt(declared, passing));
    }

    fn level(&self, check: &Check) -> Level {
        levelled(std::slice::from_ref(check), &self.passed())[0].level
    }
}

#[test]
fn it_is_late_until_it_has_passed_and_decides_from_then_on() {
    let mut machine = Machine::new();
    let checks = [waiting("a"), waiting("b")];
    assert_eq!(machine.level(&checks[0]), Level::Advisory);
    machine.committed(&checks, &["b"]);
    assert_eq!(machine.level(&checks[0]), Level::Advisory);
    assert_eq!(machine.level(&checks[1]), Level::Required);
    machine.committed(&checks, &["a"]);
    assert_eq!(machine.level(&checks[0]), Level::Required);
    assert_eq!(machine.level(&checks[1]), Level::Required, "it has passed, once is enough");
}

#[test]
fn what_passed_in_an_attempt_that_went_back_does_not_count() {
    let mut machine = Machine::new();
    let checks = [waiting("a"), waiting("b")];
    machine.attempt(&checks, &["a"]);
    assert_eq!(machine.level(&checks[0]), Level::Advisory);
    machine.committed(&checks, &["b"]);
    machine.attempt(&checks, &["a"]);
    machine.attempt(&checks, &[]);
    assert_eq!(machine.level(&checks[0]), Level::Advisory);
    assert_eq!(machine.level(&checks[1]), Level::Required, "no attempt that went back forgets it");
}

#[test]
fn a_check_that_is_gone_from_the_manifest_is_forgotten_with_the_commit() {
    let mut machine = Machine::new();
    let check = waiting("a");
    machine.committed(std::slice::from_ref(&check), &["a"]);
    machine.attempt(&[], &[]);
    assert_eq!(machine.level(&check), Level::Required, "the attempt was not committed");
    machine.committed(&[], &[]);
    assert_eq!(machine.level(&check), Level::Advisory);
}

#[test]
fn a_check_that_looks_at_something_else_has_not_passed_yet() {
    let mut machine = Machine::new();
    machine.committed(&[waiting("a")], &["a"]);
    let other = check("a", Level::RequiredOncePassed, "ZeroSSL");
    assert_eq!(machine.level(&other), Level::Advisory);
}

#[test]
fn other_levels_stay_what_they_are_and_leave_no_file() {
    let mut machine = Machine::new();
    let checks = [check("a", Level::Required, "x"), check("b", Level::Advisory, "x")];
    machine.committed(&checks, &["a", "b"]);
    assert!(!machine.file.path.exists());
    assert_eq!(levelled(&checks, &machine.passed()), checks);
}

#[test]
fn a_damaged_file_says_so() {
    let machine = Machine::new();
    std::fs::write(&machine.file.path, "{").unwrap();
    let error = machine.file.read(None).unwrap_err().to_string();
    assert!(error.contains("passed-checks.json cannot be read"), "{error}");
}
