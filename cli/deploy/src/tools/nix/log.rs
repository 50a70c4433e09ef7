//! Nix's `--log-format internal-json`, as far as people want to see it.
//!
//! The numbers are those of Nix's `ActivityType` and `ResultType` (`src/libutil/logging.hh`).

use std::collections::HashMap;

use deploy_wire::mark;
use serde_json::Value;

use super::{NixDiagnosis, error::NixError, essence};
use crate::tools::{bounded, colours::plain, process::ProcessError};

const COPY_PATH: u64 = 100;
const BUILDS: u64 = 104;
const BUILD: u64 = 105;
const BUILD_LOG_LINE: u64 = 101;
const PROGRESS: u64 = 105;

/// An event of Nix's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A derivation is being built.
    Building(String),
    /// The count of built derivations changed.
    Built {
        /// The derivations that are built.
        done: u64,
        /// All derivations to build.
        expected: u64,
    },
    /// A line of a build log, or of the agent at the other end.
    Log(String),
    /// The count of copied bytes changed.
    Copied {
        /// The bytes that are copied.
        bytes: u64,
        /// All bytes to copy, as far as known.
        expected: u64,
    },
}

/// The number of lines of a build log that a failure shows.
const TAIL: usize = 25;

/// The number of errors and of concurrent activities that are remembered. A build log can claim any
/// number of both.
const REMEMBERED: usize = 10_000;

/// Reads the log line by line and remembers what an error message needs.
#[derive(Debug, Default)]
pub struct Reader {
    kinds: HashMap<u64, u64>,
    copies: HashMap<u64, (u64, u64)>,
    /// The bytes of the finished copies.
    copied: (u64, u64),
    errors: Vec<String>,
    tail: std::collections::VecDeque<String>,
}

impl Reader {
    /// Reads a line of stderr.
    pub fn line(&mut self, line: &str) -> Option<Progress> {
        if mark::is_note(line) {
            return Some(Progress::Log(line.to_owned()));
        }
        let Some(json) = line.strip_prefix("@nix ") else {
            // ssh prints warnings that do not matter, for example about a key exchange that is not
            // the newest.
            let matters = !line.trim().is_empty() && !line.starts_with("** ");
            if matters {
                self.complained(line);
            }
            return None;
        };
        let json: Value = serde_json::from_str(json).ok()?;
        let id = json["id"].as_u64().unwrap_or_default();
        match json["action"].as_str()? {
            "start" => {
                let kind = json["type"].as_u64()?;
                if self.kinds.len() < REMEMBERED {
                    self.kinds.insert(id, kind);
                }
                let field = json["fields"][0].as_str();
                (kind == BUILD).then(|| Progress::Building(field.unwrap_or_default().to_owned()))
            }
            "result" => self.result(id, &json),
            "stop" => {
                self.kinds.remove(&id);
                if let Some((done, expected)) = self.copies.remove(&id) {
                    self.copied.0 = self.copied.0.saturating_add(done);
                    self.copied.1 = self.copied.1.saturating_add(expected);
                }
                None
            }
            "msg" if json["level"] == 0 => {
                self.complained(&plain(json["msg"].as_str()?));
                None
            }
            _ => None,
        }
    }

    fn complained(&mut self, text: &str) {
        if self.errors.len() < REMEMBERED && !text.trim().is_empty() {
            self.errors.push(cut(text));
        }
    }

    fn result(&mut self, id: u64, json: &Value) -> Option<Progress> {
        let number = |at: usize| json["fields"][at].as_u64().unwrap_or_default();
        match (json["type"].as_u64()?, self.kinds.get(&id).copied()) {
            (BUILD_LOG_LINE, _) => {
                let line = cut(json["fields"][0].as_str()?);
                if self.tail.len() == TAIL {
                    self.tail.pop_front();
                }
                self.tail.push_back(line.clone());
                Some(Progress::Log(line))
            }
            (PROGRESS, Some(BUILDS)) => {
                Some(Progress::Built { done: number(0), expected: number(1) })
            }
            (PROGRESS, Some(COPY_PATH)) => {
                self.copies.insert(id, (number(0), number(1)));
                let all = || self.copies.values().chain([&self.copied]);
                let sum =
                    |take: fn(&(u64, u64)) -> u64| all().map(take).fold(0, u64::saturating_add);
                Some(Progress::Copied { bytes: sum(|c| c.0), expected: sum(|c| c.1) })
            }
            _ => None,
        }
    }

    /// The settings and caches that the Nix daemon ignores, because the user may not set them. The
    /// flake may have asked for them in the user's name.
    pub fn ignored(&self) -> Vec<String> {
        let is_ignored = |text: &&String| NixDiagnosis::SettingIgnored.is_told_by(text);
        let first = |text: &String| {
            let text = text.lines().next().unwrap_or_default();
            text.strip_prefix("warning: ").unwrap_or(text).to_owned()
        };
        let mut ignored: Vec<String> = Vec::new();
        for text in self.errors.iter().filter(is_ignored).map(first) {
            if !ignored.contains(&text) {
                ignored.push(text);
            }
        }
        ignored
    }

    /// The error of a failed command: Nix's own message, and the end of the build log if there is
    /// one.
    pub fn failure(&self, error: &ProcessError) -> NixError {
        self.failure_or(error.to_string())
    }

    /// The same, with what is said where Nix said nothing.
    pub fn failure_or(&self, otherwise: String) -> NixError {
        if self.errors.is_empty() {
            return NixError::Failed(otherwise);
        }
        // The failure of what depends on a failed derivation adds nothing.
        let follows = |text: &String| NixDiagnosis::DependencyFailed.is_told_by(text);
        let mut texts: Vec<&String> = self.errors.iter().filter(|text| !follows(text)).collect();
        if texts.is_empty() {
            texts = self.errors.iter().collect();
        }
        let texts: Vec<String> =
            texts.into_iter().map(|text| essence::trimmed(text, None)).collect();
        let mut text = texts.join("\n");
        if !self.tail.is_empty() && !text.contains(" log lines:") {
            text.push_str("\nthe end of its log:\n");
            text.extend(self.tail.iter().map(|line| format!("  > {line}\n")));
        }
        NixError::Failed(text.trim_end().to_owned())
    }
}

/// The start of a text, if it is longer than an error message.
fn cut(text: &str) -> String {
    let mut end = text.len().min(bounded::MESSAGE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_all_copies_are_added_up() {
        let mut reader = Reader::default();
        for line in [
            r#"@nix {"action":"start","id":1,"level":4,"type":100,"text":"","fields":["/nix/store/a","",""]}"#,
            r#"@nix {"action":"start","id":2,"level":4,"type":100,"text":""}"#,
            r#"@nix {"action":"result","id":1,"type":105,"fields":[10,100,0,0]}"#,
        ] {
            reader.line(line);
        }
        let last = reader.line(r#"@nix {"action":"result","id":2,"type":105,"fields":[5,50,0,0]}"#);
        assert_eq!(last, Some(Progress::Copied { bytes: 15, expected: 150 }));
    }

    #[test]
    fn what_the_agent_notes_is_no_error() {
        let mut reader = Reader::default();
        let Some(mark::Said::Damaged(note)) = mark::Said::read("@damaged 3") else { panic!() };
        assert_eq!(reader.line(&note), Some(Progress::Log(note)));
        assert!(reader.errors.is_empty());
    }

    #[test]
    fn colours_go() {
        assert_eq!(plain("\x1b[31;1merror:\x1b[0m no"), "error: no");
    }

    #[test]
    fn what_the_daemon_does_not_heed_is_told_and_nothing_else() {
        let mut reader = Reader::default();
        for line in [
            r#"@nix {"action":"msg","level":0,"msg":"\u001b[35;1mwarning:\u001b[0m ignoring untrusted substituter 'https://a', you are not a trusted user.\nRun `man nix.conf`"}"#,
            r#"@nix {"action":"msg","level":0,"msg":"warning: ignoring untrusted substituter 'https://a', you are not a trusted user."}"#,
            r#"@nix {"action":"msg","level":0,"msg":"something else"}"#,
            r#"@nix {"action":"msg","level":0,"msg":"ignoring the client-specified setting 'log-lines', because it is a restricted setting and you are not a trusted user"}"#,
        ] {
            reader.line(line);
        }
        let told = "ignoring untrusted substituter 'https://a', you are not a trusted user.";
        assert_eq!(reader.ignored(), [told]);
    }

    #[test]
    fn a_log_without_end_fills_no_memory() {
        let mut reader = Reader::default();
        let long = "x".repeat(2 * bounded::MESSAGE);
        for id in 0..3 * REMEMBERED {
            reader.line(&format!(r#"@nix {{"action":"start","id":{id},"type":100}}"#));
            reader.line(&format!(
                r#"@nix {{"action":"result","id":{id},"type":105,"fields":[1,{}]}}"#,
                u64::MAX
            ));
            reader.line(r#"@nix {"action":"msg","level":0,"msg":"error: x"}"#);
        }
        reader.line(&format!(r#"@nix {{"action":"result","type":101,"fields":["{long}"]}}"#));
        assert!(reader.kinds.len() <= REMEMBERED && reader.copies.len() <= REMEMBERED);
        assert!(reader.errors.len() <= REMEMBERED);
        assert_eq!(reader.tail[0].len(), bounded::MESSAGE);
    }

    #[test]
    fn what_is_over_is_remembered_in_the_sum_alone() {
        let mut reader = Reader::default();
        for line in [
            r#"@nix {"action":"start","id":1,"type":100}"#,
            r#"@nix {"action":"result","id":1,"type":105,"fields":[7,9]}"#,
            r#"@nix {"action":"stop","id":1}"#,
            r#"@nix {"action":"start","id":2,"type":100}"#,
        ] {
            reader.line(line);
        }
        let last = reader.line(r#"@nix {"action":"result","id":2,"type":105,"fields":[1,2]}"#);
        assert_eq!(last, Some(Progress::Copied { bytes: 8, expected: 11 }));
        assert_eq!((reader.kinds.len(), reader.copies.len()), (1, 1));
    }

    #[test]
    fn garbage_is_survived() {
        let mut reader = Reader::default();
        for line in ["@nix {", "@nix 1", "@nix {\"action\":7}", "\u{fffd}", ""] {
            assert_eq!(reader.line(line), None);
        }
    }
}
