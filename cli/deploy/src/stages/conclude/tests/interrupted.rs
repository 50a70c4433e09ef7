//! Ctrl-C in each phase, once and twice. SIGTERM and a closed terminal act like Ctrl-C.

use super::*;
use crate::{
    stages::confirm::interrupted::{
        AGAIN, GiveUpRequest, WHILE_LOST, before_all, before_its_turn, before_the_switch,
        can_be_given_up, first, not_told,
    },
    tools::terminal::Interrupt,
};

/// The phases that a machine reports. While the agent takes the machine, it has not reported any.
const PHASES: [(&str, Option<Phase>); 9] = [
    ("stage", None),
    ("arm", Some(Phase::Arming)),
    ("activate", Some(Phase::Activating)),
    ("check", Some(Phase::Checking)),
    ("wait", Some(Phase::Waiting)),
    ("commit", Some(Phase::Committing)),
    ("roll back", Some(Phase::RollingBack)),
    ("reboot", Some(Phase::Rebooting)),
    ("end", Some(Phase::Ended)),
];

fn printed(event: Event) -> String {
    shown::plain(&[event])
}

fn left_at(phase: Option<Phase>, why: &str, told: GiveUpRequest, required: bool) -> Finished {
    let mut record = record();
    record.rules.confirm.required = required;
    let left = Left { why: why.into(), phase, told };
    finished(&record, Some(&before()), Conclusion::Left(left))
}

#[test]
fn what_is_said_in_each_phase() {
    let mut text = String::new();
    let mut say = |when: &str, what: String| text += &format!("--- {when}\n{what}");
    let before = |failure| printed(Event::Finished(Finished::failed(name(), failure)));
    say("evaluate", printed(Event::Failed(before_all())));
    for phase in ["ask", "build", "push"] {
        say(phase, before(before_the_switch("frame1")));
    }
    say("another machine", before(before_its_turn("frame1")));
    for (word, phase) in PHASES {
        say(word, printed(note(&first(phase))));
        if !can_be_given_up(phase) {
            let told = Event::Finished(left_at(phase, AGAIN, GiveUpRequest::NotSent, true));
            say(&format!("{word}, again"), printed(told));
            continue;
        }
        say(
            &format!("{word}, again"),
            printed(Event::Finished(left_at(phase, AGAIN, GiveUpRequest::Sent, true))),
        );
        for (confirmation, required) in
            [(Confirmation::Required, true), (Confirmation::NotRequired, false)]
        {
            let how = if required { "" } else { ", where no login has to confirm" };
            let error = "the connection broke";
            say(
                &format!("{word}, without a connection{how}"),
                printed(note(&not_told(error, confirmation)))
                    + &printed(Event::Finished(left_at(
                        phase,
                        WHILE_LOST,
                        GiveUpRequest::NotSent,
                        required,
                    ))),
            );
        }
    }
    snapshot("interrupted-in-each-phase", &text);
}

/// Exit code 130.
#[test]
fn before_the_switch_in_every_view() {
    let finished = Finished::failed(name(), before_the_switch("frame1"));
    let mut events = ended(asked(), finished);
    let Some(Event::Ended { machines, code }) = events.last_mut() else { panic!() };
    *code = crate::outcome::interrupted_code(&[machines[0].1]);
    snapshots("interrupted-before", &events);
}

/// Exit code 3.
#[test]
fn while_it_waits_in_every_view() {
    for (name, interrupt) in [
        ("interrupted", Interrupt::CtrlC),
        ("terminated", Interrupt::Terminated),
        ("hung-up", Interrupt::HungUp),
    ] {
        let why = interrupt.to_string();
        let mut events = waiting();
        events.extend([note(&first(Some(Phase::Waiting))), goes_back(&why)]);
        let outcome = outcome(End::RolledBack, Some(&why), before(), Some(41));
        snapshots(name, &ended(events, told(known(outcome))));
    }
}

/// Exit code 0.
#[test]
fn too_late_in_every_view() {
    let mut events = committing();
    events.push(note(&first(Some(Phase::Committing))));
    let outcome = outcome(End::Committed, None, wanted(), Some(42));
    snapshots("interrupted-too-late", &ended(events, told(known(outcome))));
}

/// Exit code 5.
#[test]
fn again_in_every_view() {
    let mut events = waiting();
    events.push(note(&first(Some(Phase::Waiting))));
    let finished = left_at(Some(Phase::Waiting), AGAIN, GiveUpRequest::Sent, true);
    snapshots("interrupted-again", &ended(events, finished));
}

/// No further machine is begun, and every machine is named.
#[test]
fn among_several_in_every_view() {
    let mut outcome = outcome(End::RolledBack, None, before(), Some(41));
    outcome.why = Some(Interrupt::CtrlC.to_string());
    let mut events = waiting();
    events.extend([
        note(&first(Some(Phase::Waiting))),
        Event::Finished(told(known(outcome))),
        Event::Finished(Finished::failed("nas".into(), before_its_turn("nas"))),
    ]);
    let machines = vec![(name(), Ending::RolledBack), ("nas".into(), Ending::Unchanged)];
    let code = crate::outcome::interrupted_code(&[Ending::RolledBack, Ending::Unchanged]);
    events.push(Event::Ended { machines, code });
    snapshots("interrupted-among-several", &events);
}
