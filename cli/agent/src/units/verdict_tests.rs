use super::*;

fn unit(active: &str, sub: &str, result: &str) -> Unit {
    Unit {
        load: "loaded".into(),
        active: active.into(),
        sub: sub.into(),
        result: result.into(),
        ..Unit::default()
    }
}

fn running() -> Unit {
    unit("active", "running", "success")
}

fn judge(name: &str, before: Option<Unit>, now: Unit, changed: bool) -> Vec<Broken> {
    let before: Units = before.into_iter().map(|unit| (name.to_owned(), unit)).collect();
    let differs = move |_: &str| changed;
    let context = Context { before: &before, ignore: &["left.service".into()], differs: &differs };
    context.broken(&Units::from([(name.to_owned(), now)]))
}

fn is_broken(name: &str, before: Option<Unit>, now: Unit, changed: bool) -> bool {
    !judge(name, before, now, changed).is_empty()
}

#[test]
fn a_unit_that_failed_is_broken_unless_it_was_so_before() {
    let failed = unit("failed", "failed", "exit-code");
    assert_eq!(
        judge("a.service", Some(running()), failed.clone(), false),
        [Broken { unit: "a.service".into(), detail: "failed (exit-code)".into() }]
    );
    assert!(is_broken("new.service", None, failed.clone(), true));
    assert!(is_broken("x.mount", None, failed.clone(), true));
    assert!(!is_broken("a.service", Some(failed.clone()), failed.clone(), false));
    let otherwise = unit("failed", "failed", "signal");
    assert!(is_broken("a.service", Some(otherwise), failed.clone(), false));
    // Its own definition changed: an old failure does not hide the new one.
    assert!(is_broken("a.service", Some(failed.clone()), failed, true));
}

#[test]
fn a_unit_whose_reload_failed_is_broken_unless_it_was_so_before() {
    let refused = Unit { reload: "exit-code".into(), ..running() };
    assert_eq!(
        judge("a.service", Some(running()), refused.clone(), false),
        [Broken { unit: "a.service".into(), detail: "its reload failed (exit-code)".into() }]
    );
    assert!(is_broken("a.service", Some(refused.clone()), refused.clone(), true));
    assert!(!is_broken("a.service", Some(refused.clone()), refused, false));
    assert!(!is_broken(
        "a.service",
        Some(running()),
        Unit { reload: "success".into(), ..running() },
        true
    ));
}

#[test]
fn a_unit_in_a_restart_loop_is_broken() {
    let waits = unit("activating", "auto-restart", "exit-code");
    assert!(is_broken("a.service", Some(running()), waits.clone(), false));
    assert!(!is_broken("a.service", Some(waits.clone()), waits, false));
    let restarted = |restarts| Unit { restarts, ..running() };
    assert!(!is_broken("a.service", Some(running()), restarted(1), false));
    assert!(is_broken("a.service", Some(running()), restarted(2), false));
    assert!(is_broken("a.service", Some(restarted(1)), restarted(3), false));
    assert!(!is_broken("a.service", Some(restarted(7)), restarted(9), false));
    assert!(is_broken("a.service", Some(restarted(7)), restarted(2), true));
}

#[test]
fn a_unit_that_is_gone_is_broken_only_if_it_ended_badly() {
    let dead = |result| unit("inactive", "dead", result);
    assert!(!is_broken("a.service", Some(running()), dead("success"), false));
    assert!(is_broken("a.service", Some(running()), dead("exit-code"), false));
    let removed = Unit { load: "not-found".into(), ..dead("exit-code") };
    assert!(!is_broken("a.service", Some(running()), removed, false));
    assert!(!is_broken("a.service", Some(dead("success")), dead("exit-code"), false));
}

#[test]
fn what_comes_and_goes_by_itself_does_not_count() {
    let failed = || unit("failed", "failed", "exit-code");
    for name in ["user@0.service", "run-u7.service", "left.service", "session-3.scope", "x.device"]
    {
        assert!(!is_broken(name, None, failed(), true), "{name} was counted");
    }
    assert!(!is_broken("a.service", None, Unit { transient: true, ..failed() }, true));
    let by_timer = Unit { triggered_by: vec!["a.timer".into()], ..failed() };
    assert!(!is_broken("a.service", Some(running()), by_timer.clone(), false));
    assert!(is_broken("a.service", Some(running()), by_timer, true));
}

#[test]
fn a_touched_unit_must_have_lived_and_an_untouched_one_need_not() {
    let before = Units::from([("a.service".to_owned(), running())]);
    let context = Context { before: &before, ignore: &[], differs: &|_| false };
    let at = |invocation: &str| Unit {
        invocation: invocation.into(),
        changed_us: 5_000_000,
        ..running()
    };
    let young = |unit, seconds| {
        let now = Units::from([("a.service".to_owned(), unit)]);
        let of = Duration::from_secs;
        context.young(&now, of(seconds), of(10)).map(str::to_owned)
    };
    assert_eq!(young(at(""), 6), None, "an untouched unit was waited for");
    assert_eq!(young(at("new"), 14).as_deref(), Some("a.service"));
    assert_eq!(young(at("new"), 15), None);
    let done = Unit { sub: "exited".into(), ..at("new") };
    assert_eq!(young(done, 6), None, "a unit that has ended well was waited for");
    let ended = Unit { active: "inactive".into(), sub: "dead".into(), ..at("new") };
    assert_eq!(young(ended, 6), None);
}
