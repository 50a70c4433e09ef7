//! The events of a machine that something is done for before its turn.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Event, Renderer, Report, Stage};

/// When the turn of a machine comes, whose events are not shown before.
#[derive(Default)]
pub struct Turn(Arc<Mutex<Unseen>>);

/// What was not shown.
#[derive(Default)]
struct Unseen {
    /// The stage that the machine is in, and its event.
    stage: Option<(Stage, Event)>,
    shown: Option<UnboundedSender<Event>>,
}

impl Turn {
    /// A report that shows nothing before this turn.
    pub fn report(&self) -> Report {
        Report::with(Box::new(Self(Arc::clone(&self.0))))
    }

    /// The turn has come. The events from now on, after the stage that the machine is in.
    pub fn begin(&self) -> UnboundedReceiver<Event> {
        let (shown, events) = unbounded_channel();
        let mut unseen = self.lock();
        if let Some((_, event)) = &unseen.stage {
            let _ = shown.send(event.clone());
        }
        unseen.shown = Some(shown);
        events
    }

    /// The stage that the machine is in.
    pub fn stage(&self) -> Option<Stage> {
        self.lock().stage.as_ref().map(|(stage, _)| *stage)
    }

    fn lock(&self) -> MutexGuard<'_, Unseen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Renderer for Turn {
    fn show(&mut self, event: &Event) {
        let mut unseen = self.lock();
        if let Event::Stage { stage, .. } = event {
            unseen.stage = Some((*stage, event.clone()));
        }
        if let Some(shown) = &unseen.shown {
            let _ = shown.send(event.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_shown_from_the_turn_on_after_the_stage_that_the_machine_is_in() {
        let stage = |stage| Event::Stage { machine: "frame2".into(), stage };
        let turn = Turn::default();
        let report = turn.report();
        report.tell(stage(Stage::Ask));
        report.note("frame2", "before");
        report.tell(stage(Stage::Push));
        let mut events = turn.begin();
        report.note("frame2", "after");
        let mut shown = Vec::new();
        while let Ok(event) = events.try_recv() {
            shown.push(format!("{event:?}"));
        }
        assert_eq!(shown.len(), 2, "{shown:?}");
        assert!(shown[0].contains("Push") && shown[1].contains("after"), "{shown:?}");
    }
}
