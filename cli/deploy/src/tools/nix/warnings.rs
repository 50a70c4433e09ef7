//! Warnings and traces of a configuration, which Nix prints to stderr during the evaluation.

use crate::tools::colours::plain;

/// The prefixes of the configuration's own lines. `lib.warn` of nixpkgs uses `builtins.warn` if Nix
/// has it, and a trace otherwise.
const OWN: [&str; 2] = ["evaluation warning: ", "trace: "];

/// The prefixes of Nix's own lines. They end the warning before them.
const OF_NIX: [&str; 14] = [
    "warning: ",
    "error: ",
    "error:",
    "building ",
    "copying ",
    "downloading ",
    "fetching ",
    "unpacking ",
    "querying ",
    "evaluating ",
    "these ",
    "this ",
    "  /nix/store/",
    "• ",
];

/// Reads Nix's stderr line by line.
#[derive(Debug, Default)]
pub struct Warnings {
    all: Vec<String>,
    /// Whether the next line may continue the last warning.
    is_open: bool,
}

impl Warnings {
    /// Reads a line.
    pub fn line(&mut self, line: &str) {
        let line = plain(line);
        if let Some(text) = OWN.iter().find_map(|word| line.strip_prefix(word)) {
            let is_trace = line.starts_with("trace: ");
            let warning = ["evaluation warning: ", "warning: "]
                .iter()
                .find_map(|word| text.strip_prefix(word));
            self.all.push(match warning {
                Some(warning) => warning.to_owned(),
                None if is_trace => format!("trace: {text}"),
                None => text.to_owned(),
            });
            self.is_open = true;
        } else if OF_NIX.iter().any(|word| line.starts_with(word)) {
            self.is_open = false;
        } else if let Some(last) = self.all.last_mut().filter(|_| self.is_open) {
            last.push('\n');
            last.push_str(line.trim());
        }
    }

    /// The warnings in order, each once.
    pub fn all(self) -> Vec<String> {
        let mut once: Vec<String> = Vec::new();
        for text in self.all {
            let text = text.trim_end().to_owned();
            if !once.contains(&text) {
                once.push(text);
            }
        }
        once
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_of_the_configuration_are_told_once_and_nix_s_own_words_are_not() {
        let mut warnings = Warnings::default();
        let said = "warning: Git tree '/x' is dirty\n\
            evaluation warning: frame1: services.old is gone\n                    use services.new\n\
            warning: ignoring untrusted flake configuration setting 'cores'.\nPass '--accept-flake-config' to trust it\n\
            trace: \u{1b}[1;35mwarning: old nixpkgs\u{1b}[0m\n\
            trace: x = 1\n\
            evaluation warning: frame1: services.old is gone\n                    use services.new\n\
            building '/nix/store/x.drv'...\nsome line\n";
        said.lines().for_each(|line| warnings.line(line));
        assert_eq!(
            warnings.all(),
            ["frame1: services.old is gone\nuse services.new", "old nixpkgs", "trace: x = 1"]
        );
    }
}
