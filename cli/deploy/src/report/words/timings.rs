//! The timings of a machine as a table.

use std::time::Duration;

use crate::report::{
    line::Line,
    timings::{MachineTimings, Part},
};

/// The table: when each part began, and how long it took, in seconds.
pub fn lines(machine: &str, timings: &MachineTimings) -> Vec<Line> {
    let row = |name: &str, from: Option<Duration>, took: Duration| {
        let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
        let from = from.map(seconds).unwrap_or_default();
        Line::plain(format!("  {name:<20} {from:>10} {:>10}", seconds(took)))
    };
    let head = Line::plain(format!("{machine}: {:<14} {:>10} {:>10}", "timings", "from", "took"));
    let parts = timings.spans.iter().map(|span| row(name(span.part), Some(span.from), span.took));
    let total = row("total", None, timings.until);
    std::iter::once(head).chain(parts).chain([total]).collect()
}

fn name(part: Part) -> &'static str {
    match part {
        Part::Evaluation => "evaluation",
        Part::FlakeChecks => "flake checks",
        Part::Question => "question",
        Part::Login => "login",
        Part::Build => "build",
        Part::Push => "push",
        Part::Stage => "stage",
        Part::Arm => "arm",
        Part::Switch => "switch",
        Part::Checks => "checks",
        Part::Confirmation => "confirmation",
        Part::Commit => "commit",
        Part::Rollback => "rollback",
        Part::Reboot => "reboot",
        Part::NewLogin => "new login",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::timings::Span;

    #[test]
    fn each_part_has_a_line() {
        let span = |part, from, took| Span {
            part,
            from: Duration::from_millis(from),
            took: Duration::from_millis(took),
        };
        let spans = vec![span(Part::Evaluation, 12, 2310), span(Part::NewLogin, 10_400, 95)];
        let timings = MachineTimings { spans, until: Duration::from_millis(11_000) };
        let lines = lines("frame1", &timings);
        let text: Vec<&str> = lines.iter().map(|line| line.text().as_str()).collect();
        insta::assert_snapshot!(text.join("\n"), @r"
        frame1: timings              from       took
          evaluation               0.01 s     2.31 s
          new login               10.40 s     0.10 s
          total                              11.00 s
        ");
    }
}
