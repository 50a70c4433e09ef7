//! A terminal: lines that stay, and one at the bottom that moves.

use std::time::{Duration, Instant};

use deploy_wire::event::Event as Happened;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Detail, Event, NewLogin, Renderer, Stage, plain::pushed_line, words};
use crate::tools::nix_log::Progress;

/// Draws with a line that shows what goes on now.
pub struct Live {
    detail: Detail,
    bar: Option<ProgressBar>,
    push_began: Option<Instant>,
    pushed: u64,
    counts_down: Option<CountDown>,
}

/// A deadline of a machine's, and what goes on until then.
struct CountDown {
    message: String,
    end: Instant,
}

const TICK: Duration = Duration::from_millis(100);

impl Live {
    /// A live view on this terminal.
    pub fn new(detail: Detail) -> Self {
        Self { detail, bar: None, push_began: None, pushed: 0, counts_down: None }
    }

    fn spin(&mut self, template: &str, message: String) {
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(TICK);
            bar
        });
        bar.set_style(ProgressStyle::with_template(template).expect("a template of ours"));
        bar.set_message(message);
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn end_push(&mut self, machine: &str) {
        if let Some(since) = self.push_began.take() {
            self.line(&pushed_line(machine, self.pushed, since));
        }
    }

    fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => println!("{line}"),
        }
    }

    fn count_down(&mut self, machine: &str, what: &str, seconds: u64) {
        let end = Instant::now() + Duration::from_secs(seconds);
        self.counts_down = Some(CountDown { message: format!("{machine}: {what}"), end });
        self.draw_count_down();
    }

    fn draw_count_down(&mut self) {
        self.clear();
        let Some(CountDown { message, end }) = &self.counts_down else { return };
        let end = *end;
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {msg} {left}")
            .expect("a template of ours")
            .with_key(
                "left",
                move |_: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
                    let left =
                        end.saturating_duration_since(Instant::now()).as_millis().div_ceil(1000);
                    let _ = write!(out, "({left} s left)");
                },
            );
        bar.set_style(style);
        bar.set_message(message.clone());
        bar.enable_steady_tick(TICK);
        self.bar = Some(bar);
    }
}

const SPINNER: &str = "{spinner} {msg}";

impl Renderer for Live {
    fn show(&mut self, event: &Event) {
        match event {
            Event::Evaluating { flake } => self.spin(SPINNER, format!("evaluating {flake}")),
            // Nothing moves while ssh and sudo may ask: it would wipe their questions away.
            Event::Stage { stage: Stage::Ask, .. } => {
                self.clear();
                self.print(event);
            }
            Event::Login { login: NewLogin::Begins, .. } => self.clear(),
            Event::Login { login: NewLogin::Over, .. } => self.draw_count_down(),
            Event::Stage { machine, .. } => {
                self.end_push(machine);
                let text = words::lines(event, self.detail).join(" ");
                self.spin(SPINNER, text);
            }
            Event::Build { machine, progress: Progress::Built { done, expected } } => {
                self.spin(SPINNER, format!("{machine}: built {done} of {expected}"));
            }
            Event::Push { machine, progress: Progress::Copied { bytes, expected } } => {
                let since = *self.push_began.get_or_insert_with(Instant::now);
                self.pushed = *bytes;
                let rate = bytes.saturating_mul(1000)
                    / u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
                let [done, all, rate] = [*bytes, *expected, rate].map(words::bytes);
                self.spin(SPINNER, format!("{machine}: pushing {done} of {all} ({rate}/s)"));
            }
            Event::Agent {
                machine,
                event: Happened::Phase { phase, seconds_left: Some(left), why: None },
            } => self.count_down(machine, words::phase_word(*phase), *left),
            Event::Evaluated { .. } | Event::Finished(_) | Event::Failed(_) => {
                self.clear();
                self.counts_down = None;
                self.print(event);
            }
            _ => self.print(event),
        }
    }
}

impl Live {
    fn print(&self, event: &Event) {
        for line in words::lines(event, self.detail) {
            self.line(&line);
        }
    }
}
