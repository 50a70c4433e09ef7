use super::*;

/// The time of the snapshot at `stage`, in seconds of `CLOCK_MONOTONIC`.
const STAGE: u64 = 10_000;

fn unit(active: &str, sub: &str, result: &str) -> Unit {
    Unit {
        load: "loaded".into(),
        active: active.into(),
        sub: sub.into(),
        result: result.into(),
        fragment: "/etc/systemd/system/x".into(),
        ..Unit::default()
    }
}

fn running() -> Unit {
    unit("active", "running", "success")
}

fn failed(result: &str) -> Unit {
    unit("failed", "failed", result)
}

/// A unit that waits for its next restart.
fn waits(result: &str, restarts: u64) -> Unit {
    Unit { restarts, ..unit("activating", "auto-restart", result) }
}

/// A unit that runs again after a restart.
fn again(restarts: u64) -> Unit {
    Unit { restarts, invocation: format!("run {restarts}"), ..running() }
}

/// The verdict of the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UnitVerdict {
    Stays,
    MustLive,
    AtTheEnd,
    AtOnce,
    Reported,
}

impl UnitVerdict {
    fn words(self) -> &'static str {
        match self {
            Self::Stays => "stays",
            Self::MustLive => "must run for `units.watch` seconds",
            Self::AtTheEnd => "waits; goes back if it is so at the end of the checks",
            Self::AtOnce => "goes back at once",
            Self::Reported => "reported, stays",
        }
    }
}

/// One row of the table in docs/units.md.
struct UnitCase {
    /// The state at `stage`, in words.
    before: &'static str,
    was: Option<Unit>,
    /// Whether the deploy changed the unit's definition.
    changed: bool,
    /// The states seen since `stage`, in words.
    since: &'static str,
    /// Seconds since `stage`, and the state. A state is as old as the first look that sees it.
    looks: Vec<(u64, Unit)>,
    verdict: UnitVerdict,
}

fn rules() -> Rules {
    Rules::default()
}

/// Runs a row's looks in order and returns the verdict of the last one.
fn judge(name: &str, row: &UnitCase, rules: &Rules) -> (UnitVerdict, Option<String>) {
    let mut snapshot = Snapshot {
        boot: deploy_wire::record::Boot { id: "1".into(), soft_reboots: 0 },
        at_us: STAGE * 1_000_000,
        jobs: Vec::new(),
        units: Units::new(),
    };
    snapshot.units.extend(row.was.iter().map(|unit| (name.to_owned(), unit.clone())));
    let differs = |_: &str| row.changed;
    let (mut runs, mut units, mut now) = (UnitRuns::default(), Units::new(), Duration::ZERO);
    let mut last: Option<Unit> = None;
    for (seconds, unit) in &row.looks {
        now = Duration::from_secs(STAGE + seconds);
        let same = |last: &Unit| Unit { changed_us: 0, ..last.clone() } == *unit;
        let changed_us = match last.as_ref().filter(|last| same(last)) {
            Some(last) => last.changed_us,
            None => u64::try_from(now.as_micros()).unwrap(),
        };
        let unit = Unit { changed_us, ..unit.clone() };
        last = Some(unit.clone());
        units = Units::from([(name.to_owned(), unit)]);
        runs.see(&snapshot.units, &units, now);
    }
    let context = Context { before: &snapshot, rules, differs: &differs, runs: &runs };
    let found = context.findings(&units).pop();
    let verdict = match found.as_ref().map(|found| (found.role, found.state)) {
        Some((Role::Deciding, UnitFailure::Broken)) => UnitVerdict::AtOnce,
        Some((Role::Deciding, UnitFailure::Restarting)) => UnitVerdict::AtTheEnd,
        Some(_) => UnitVerdict::Reported,
        None if context.young(&units, now).is_some() => UnitVerdict::MustLive,
        None => UnitVerdict::Stays,
    };
    (verdict, found.map(|found| found.detail))
}

fn table() -> Vec<UnitCase> {
    use UnitVerdict::{AtOnce, AtTheEnd, MustLive, Stays};
    let row = |before, was: Option<Unit>, since, looks: &[(u64, Unit)], verdict| UnitCase {
        before,
        changed: was.is_none(),
        was,
        since,
        looks: looks.to_vec(),
        verdict,
    };
    let ran = || Some(running());
    let fails = || waits("exit-code", 0);
    let done = || unit("inactive", "dead", "success");
    let reload = |result: &str| Unit { reload: result.into(), ..running() };
    let recent = |restarts| Unit { restarts, changed_us: (STAGE - 5) * 1_000_000, ..running() };
    vec![
        row("ran", ran(), "still runs", &[(1, running())], Stays),
        row("new or changed", None, "runs for 5 s", &[(1, again(0)), (6, again(0))], MustLive),
        row("new or changed", None, "runs for 10 s", &[(1, again(0)), (11, again(0))], Stays),
        row("ran", ran(), "`failed`", &[(1, failed("exit-code"))], AtOnce),
        row("new or changed", None, "`failed`", &[(1, failed("exit-code"))], AtOnce),
        row(
            "failed for the same reason",
            Some(failed("exit-code")),
            "`failed`",
            &[(1, failed("exit-code"))],
            Stays,
        ),
        row(
            "failed for another reason",
            Some(failed("signal")),
            "`failed`",
            &[(1, failed("exit-code"))],
            AtOnce,
        ),
        row(
            "new or changed",
            None,
            "ends with `success` and waits to be restarted, as a poller does",
            &[(1, waits("success", 0))],
            Stays,
        ),
        row(
            "new or changed",
            None,
            "ended with `success`, was restarted and runs for 1 s",
            &[(1, waits("success", 0)), (5, again(3)), (6, again(3))],
            Stays,
        ),
        row("ran", ran(), "fails and waits to be restarted", &[(1, fails())], AtTheEnd),
        row(
            "new or changed",
            None,
            "fails, and its restart is queued",
            &[(1, unit("activating", "auto-restart-queued", "exit-code"))],
            AtTheEnd,
        ),
        row(
            "new or changed",
            None,
            "failed three times, then runs for 5 s",
            &[(1, fails()), (4, waits("exit-code", 2)), (7, again(3)), (12, again(3))],
            AtTheEnd,
        ),
        row(
            "new or changed",
            None,
            "failed three times, then runs for 10 s",
            &[(1, fails()), (4, waits("exit-code", 2)), (7, again(3)), (17, again(3))],
            Stays,
        ),
        row(
            "new or changed",
            None,
            "runs for 15 s each time, fails and is restarted",
            &[(1, again(0)), (16, again(0)), (17, fails()), (18, again(1)), (33, again(1))],
            AtTheEnd,
        ),
        row(
            "new or changed",
            None,
            "ran for 15 s, failed, and runs for 17 s since",
            &[(1, again(0)), (16, again(0)), (17, fails()), (18, again(1)), (35, again(1))],
            Stays,
        ),
        row(
            "new or changed",
            None,
            "is restarted again and again, its ends unseen",
            &[(1, again(1)), (4, again(2)), (7, again(3))],
            AtTheEnd,
        ),
        row(
            "new or changed",
            None,
            "failed, and starts again for 20 s now (`activating`)",
            &[(1, fails()), (2, starting(1)), (22, starting(1))],
            AtTheEnd,
        ),
        row(
            "new or changed",
            None,
            "a oneshot that failed once, was restarted and ended with `success`",
            &[(1, fails()), (4, Unit { restarts: 1, ..done() })],
            Stays,
        ),
        row(
            "in a restart loop",
            Some(waits("exit-code", 7)),
            "still in it",
            &[(1, waits("exit-code", 7)), (5, again(8)), (9, waits("exit-code", 8))],
            Stays,
        ),
        row(
            "restarted twice, the last time in these 10 minutes",
            Some(recent(2)),
            "fails and waits to be restarted",
            &[(1, waits("exit-code", 2))],
            Stays,
        ),
        row(
            "restarted twice, long ago",
            Some(Unit { restarts: 2, ..running() }),
            "fails and waits to be restarted",
            &[(1, waits("exit-code", 2))],
            AtTheEnd,
        ),
        row("ran", ran(), "its reload failed", &[(1, reload("exit-code"))], AtOnce),
        row(
            "its reload had failed",
            Some(reload("exit-code")),
            "no other reload",
            &[(1, reload("exit-code"))],
            Stays,
        ),
        row("ran", ran(), "ended with `success`", &[(1, done())], Stays),
        row(
            "ran",
            ran(),
            "`inactive`, and did not end well",
            &[(1, unit("inactive", "dead", "exit-code"))],
            AtOnce,
        ),
        row("ran", ran(), "gone: the new system does not have it", &[(1, gone("inactive"))], Stays),
        row("ran", ran(), "gone, and `failed` when it was stopped", &[(1, gone("failed"))], Stays),
    ]
}

fn gone(active: &str) -> Unit {
    Unit { load: "not-found".into(), ..unit(active, active, "exit-code") }
}

fn starting(restarts: u64) -> Unit {
    Unit { restarts, ..unit("activating", "start", "success") }
}

#[test]
fn each_state_of_a_unit_has_the_verdict_that_the_page_promises() {
    let page = include_str!("../../../../../docs/units.md");
    let mut rendered = String::new();
    for row in table() {
        let (verdict, detail) = judge("a.service", &row, &rules());
        assert_eq!(verdict, row.verdict, "{}: {} ({detail:?})", row.before, row.since);
        let words = row.verdict.words();
        rendered += &format!("| {} | {} | {words} |\n", row.before, row.since);
    }
    assert!(page.contains(&rendered), "the table of docs/units.md should be:\n{rendered}");
}

/// A failed unit causes a rollback if it decides, and is reported if it does not.
#[test]
fn what_does_not_decide_is_reported_and_never_waited_for() {
    for mut row in table() {
        let (verdict, _) = judge("a.service", &row, &rules());
        row.changed |= row.was.is_none();
        let (advisory, _) = judge("acme-a.service", &row, &rules());
        let wanted = match verdict {
            UnitVerdict::AtOnce | UnitVerdict::AtTheEnd => UnitVerdict::Reported,
            UnitVerdict::MustLive => UnitVerdict::Stays,
            other => other,
        };
        assert_eq!(advisory, wanted, "{}: {}", row.before, row.since);
    }
}

#[test]
fn a_unit_that_restarts_is_told_with_how_it_ended_and_how_often() {
    let told = |looks: &[(u64, Unit)]| {
        let row = UnitCase {
            before: "",
            was: None,
            changed: true,
            since: "",
            looks: looks.to_vec(),
            verdict: UnitVerdict::AtTheEnd,
        };
        judge("a.service", &row, &rules()).1.unwrap()
    };
    assert_eq!(told(&[(1, waits("signal", 0))]), "it ended (signal) and waits to be restarted");
    assert_eq!(
        told(&[(1, waits("exit-code", 0)), (2, again(1))]),
        "it ended (exit-code), was restarted once and has not run for 10 s since"
    );
    assert_eq!(
        told(&[(1, again(0)), (4, again(3))]),
        "it ended, was restarted 3 times and has not run for 10 s since"
    );
}

#[test]
fn units_that_decide_are_told_before_those_that_do_not() {
    let units = ["acme-x.service", "restarts.service", "z.service"];
    let states = [failed("exit-code"), waits("exit-code", 0), failed("signal")];
    let now: Units = units.map(str::to_owned).into_iter().zip(states).collect();
    let before = Snapshot {
        boot: deploy_wire::record::Boot { id: "1".into(), soft_reboots: 0 },
        at_us: 0,
        jobs: Vec::new(),
        units: Units::new(),
    };
    let mut runs = UnitRuns::default();
    runs.see(&before.units, &now, Duration::from_secs(1));
    let rules = rules();
    let context = Context { before: &before, rules: &rules, differs: &|_| true, runs: &runs };
    let found: Vec<_> = context.findings(&now).into_iter().map(|found| found.unit).collect();
    assert_eq!(found, ["z.service", "restarts.service", "acme-x.service"]);
}

#[test]
fn what_no_system_declares_does_not_decide() {
    let undeclared = |unit: Unit| Unit { fragment: String::new(), ..unit };
    let judged = |name: &str, was: Option<Unit>, changed: bool, now: Unit| {
        let (before, since, verdict) = ("", "", UnitVerdict::Stays);
        let looks = vec![(1, now)];
        judge(name, &UnitCase { before, was, changed, since, looks, verdict }, &rules()).0
    };
    let gone = undeclared(failed("exit-code"));
    // A mount of a container, a FUSE mount of a user, a swap added by hand, and a unit that never
    // existed.
    for name in [
        "var-lib-docker-overlay2-0a-merged.mount",
        "home-joe-photos.mount",
        "swapfile.swap",
        "a.automount",
        "gone.service",
    ] {
        assert_eq!(judged(name, None, false, gone.clone()), UnitVerdict::Stays, "{name}");
        let was = Some(undeclared(running()));
        assert_eq!(judged(name, was, false, gone.clone()), UnitVerdict::Stays, "{name}");
        // A unit that the new or the previous system declares decides.
        assert_eq!(judged(name, None, true, gone.clone()), UnitVerdict::AtOnce, "{name}");
        let was = Some(running());
        assert_eq!(judged(name, was, false, gone.clone()), UnitVerdict::AtOnce, "{name}");
    }
    // A unit that comes and goes each second must not delay the watch forever.
    let young = judged("home-joe-photos.mount", None, false, undeclared(running()));
    assert_eq!(young, UnitVerdict::Stays);
}
