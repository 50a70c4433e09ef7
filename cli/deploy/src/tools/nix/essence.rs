//! The essence of an error of Nix: what is wrong and where, without the trace.
//!
//! Nix prints an error as a trace from the outside in: frames that begin with `…`, each with its
//! place and lines of code, and the error itself at the end. Without `--show-trace` it does not
//! print the place of a `throw`.

use std::path::Path;

use super::diagnosis::NO_FLAKE_IN_FOLDER;

/// How much of an error is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Errors {
    /// What is wrong, and where.
    #[default]
    Essence,
    /// The whole output of Nix.
    Whole,
}

/// The error in `said`. If the error has no place of its own, the frame of the flake in `root` that
/// leads to it is included. Places in the flake are relative to the flake.
pub fn trimmed(said: &str, root: Option<&Path>) -> String {
    let plain = crate::tools::colours::plain(said);
    let parts = parts(&plain);
    let is_error =
        |part: &TracePart<'_>| part.kind == TracePartKind::Error && !part.lines(None).is_empty();
    let Some(last) = parts.iter().rposition(is_error) else {
        return plain.trim().to_owned();
    };
    let is_own = |part: &&TracePart<'_>| root.is_some_and(|root| part.own_place(root).is_some());
    let mut text = parts[last].lines(root);
    if parts[last].place().is_none()
        && let Some(frame) = parts[..last].iter().rev().find(is_own)
    {
        text.extend(frame.lines(root).into_iter().skip_while(|line| !is_place(line)));
    }
    let input = parts[..last].iter().filter(|part| part.is_about_an_input());
    text.extend(input.flat_map(|part| part.lines(None)));
    // git and curl explain a failed fetch better than Nix does.
    let fatal =
        plain.lines().find(|line| line.starts_with("fatal: ") || line.contains(NO_FLAKE_IN_FOLDER));
    text.extend(fatal.map(str::to_owned));
    text.join("\n")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TracePartKind {
    Frame,
    Error,
}

/// A frame or the error, with its lines.
#[derive(Debug)]
struct TracePart<'text> {
    kind: TracePartKind,
    lines: Vec<&'text str>,
}

fn parts(text: &str) -> Vec<TracePart<'_>> {
    let mut parts: Vec<TracePart<'_>> = Vec::new();
    for line in text.lines() {
        let words = line.trim_start();
        let kind = match words {
            // The text or the first frame follows in the next line.
            "error:" => Some(TracePartKind::Error),
            _ if words.starts_with("error: ") => Some(TracePartKind::Error),
            _ if words.starts_with("… ") => Some(TracePartKind::Frame),
            _ => None,
        };
        match (kind, parts.last_mut()) {
            (Some(kind), _) => parts.push(TracePart { kind, lines: vec![line] }),
            (None, Some(part)) => part.lines.push(line),
            (None, None) => {}
        }
    }
    parts
}

fn is_place(line: &str) -> bool {
    line.starts_with("at ") && line.ends_with(':')
}

impl<'text> TracePart<'text> {
    /// Splits `at FILE:LINE:COLUMN:` into file, line and column.
    fn place(&self) -> Option<(&'text str, usize, &'text str)> {
        let line = self.lines.iter().map(|line| line.trim()).find(|line| is_place(line))?;
        let mut words = line[3..line.len() - 1].rsplitn(3, ':');
        let (column, number, file) = (words.next()?, words.next()?, words.next()?);
        Some((file, number.parse().ok()?, column))
    }

    /// The place in the flake's own files. The flake's copy in the store is recognised because the
    /// file has the line that Nix shows.
    fn own_place(&self, root: &Path) -> Option<String> {
        let (file, number, column) = self.place()?;
        let below = file.split_once("-source/")?.1;
        let shown = self.lines.iter().find_map(|line| {
            let (left, code) = line.split_once('|')?;
            (left.trim().parse() == Ok(number)).then(|| code.trim())
        })?;
        let text = std::fs::read_to_string(root.join(below)).ok()?;
        let is_same = text.lines().nth(number - 1)?.trim() == shown;
        is_same.then(|| format!("{below}:{number}:{column}"))
    }

    /// The lines without the trace's indentation. Code is indented by two columns.
    fn lines(&self, root: Option<&Path>) -> Vec<String> {
        let own = root.and_then(|root| self.own_place(root));
        let lines = || self.lines.iter().filter(|line| !line.trim().is_empty());
        let margin = lines().filter(|line| is_code(line)).map(|line| indentation(line)).min();
        lines()
            .filter(|line| !line.trim_start().starts_with("(stack trace truncated"))
            .map(|line| match (&own, margin) {
                (Some(place), _) if is_place(line.trim()) => format!("at {place}:"),
                (_, Some(margin)) if is_code(line) => format!("  {}", line[margin..].trim_end()),
                _ => line.trim().to_owned(),
            })
            .filter(|line| line != "error:")
            .map(|line| line.strip_prefix("error: ").map_or(line.clone(), str::to_owned))
            .collect()
    }

    fn is_about_an_input(&self) -> bool {
        self.kind == TracePartKind::Frame && self.lines[0].contains("flake input '")
    }
}

/// Whether the line is ` 12| code` or the mark below it.
fn is_code(line: &str) -> bool {
    line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('|')
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const THROW: &str = "error:\n       … while evaluating attribute 'machines'\n         at \
        «string»:194:3:\n           193|   inherit known;\n           194|   machines = x\n\n       \
        … while calling the 'throw' builtin\n         at /nix/store/x-source/a/b.nix:2:7:\n            \
        1| {\n            2|   c = throw \"no\";\n             |       ^\n            3| }\n\n       \
        error: no\n";

    #[test]
    fn a_throw_is_shown_at_its_place_in_the_flake() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("a")).unwrap();
        std::fs::write(root.path().join("a/b.nix"), "{\n  c = throw \"no\";\n}\n").unwrap();
        let text = trimmed(THROW, Some(root.path()));
        assert!(text.starts_with("no\nat a/b.nix:2:7:\n"), "{text}");
        assert!(!text.contains("machines"), "{text}");
    }

    #[test]
    fn a_file_that_only_has_the_same_name_is_not_taken_for_it() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("a")).unwrap();
        std::fs::write(root.path().join("a/b.nix"), "{\n  other = 1;\n}\n").unwrap();
        assert_eq!(trimmed(THROW, Some(root.path())), "no");
    }

    #[test]
    fn the_input_that_cannot_be_fetched_is_named() {
        let said = "fatal: '/gone' does not appear to be a git repository\nerror:\n       … while \
            updating the flake input 'gone'\n\n       error: resolving Git reference 'master'\n";
        assert_eq!(
            trimmed(said, None),
            "resolving Git reference 'master'\n… while updating the flake input 'gone'\n\
             fatal: '/gone' does not appear to be a git repository"
        );
    }

    #[test]
    fn what_is_no_error_of_nix_stays() {
        assert_eq!(trimmed("segmentation fault\n", None), "segmentation fault");
    }
}
