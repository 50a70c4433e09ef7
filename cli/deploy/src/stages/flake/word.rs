//! A machine and perhaps its profile, as a word of the command line. It is an attribute path in
//! Nix's syntax, except that names may have dots.

use std::fmt;

use crate::error::{Failure, Result};

/// The part behind a flake's `#`, or a bare word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    text: String,
    parts: Vec<AttributePart>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct AttributePart {
    name: String,
    /// A quoted part is one name. Several unquoted parts may be one name together.
    quoted: bool,
}

impl Word {
    /// Parses the word. Quotes keep dots together, as in `"web.lan".system`.
    pub fn parse(text: &str) -> Result<Self> {
        let part = |quoted| AttributePart { name: String::new(), quoted };
        let mut parts = vec![part(false)];
        let mut open = false;
        for c in text.chars() {
            let last = parts.last_mut().expect("there is one from the start");
            match c {
                '"' => {
                    open = !open;
                    last.quoted = true;
                }
                '.' if !open => parts.push(part(false)),
                _ => last.name.push(c),
            }
        }
        if open {
            return Err(Failure::unchanged(format!("the quotes in `{text}` do not match"))
                .hint(Some("a name with dots: deploy '.#\"web.lan\".system'".into())));
        }
        if parts.iter().all(|part| part.name.is_empty()) {
            return Err(Failure::unchanged(format!("`{text}` names no machine")));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The possible meanings as machine and profile, the longest machine name first.
    pub fn meanings(&self) -> impl Iterator<Item = (String, Option<String>)> {
        let joined = |parts: &[AttributePart]| {
            parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(".")
        };
        (1..=self.parts.len()).rev().filter_map(move |end| {
            let (machine, profile) = self.parts.split_at(end);
            let is_one_name =
                |parts: &[AttributePart]| parts.len() < 2 || !parts.iter().any(|p| p.quoted);
            (is_one_name(machine) && is_one_name(profile))
                .then(|| (joined(machine), (!profile.is_empty()).then(|| joined(profile))))
        })
    }

    /// The machine in `known` and the profile behind a dot. The longest machine name wins.
    pub fn machine_and_profile(&self, known: &[String]) -> Option<(String, Option<String>)> {
        self.meanings().find(|(machine, _)| known.contains(machine))
    }

    /// The whole word as one name, to look for a misspelling.
    pub fn name(&self) -> String {
        self.parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(".")
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(word: &str, known: &[&str]) -> Option<(String, Option<String>)> {
        let known: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
        Word::parse(word).unwrap().machine_and_profile(&known)
    }

    fn machine(name: &str) -> Option<(String, Option<String>)> {
        Some((name.to_owned(), None))
    }

    fn profile(name: &str, profile: &str) -> Option<(String, Option<String>)> {
        Some((name.to_owned(), Some(profile.to_owned())))
    }

    #[test]
    fn the_longest_machine_wins_before_a_dot() {
        let known = ["web", "web.lan"];
        assert_eq!(meant("web.lan", &known), machine("web.lan"));
        assert_eq!(meant("web.lan.system", &known), profile("web.lan", "system"));
        assert_eq!(meant("web.system", &known), profile("web", "system"));
        assert_eq!(meant("wbe", &known), None);
    }

    #[test]
    fn quotes_divide_as_in_nix() {
        let known = ["web", "web.lan", "host"];
        for word in ["\"web.lan\".system", "\"web.lan\".\"system\"", "web.lan.\"system\""] {
            assert_eq!(meant(word, &known), profile("web.lan", "system"), "{word}");
        }
        assert_eq!(meant("\"web.lan\"", &known), machine("web.lan"));
        assert_eq!(meant("\"host\"", &known), machine("host"));
        // The quotes say that this is the machine `web` and its profile `lan`.
        assert_eq!(meant("\"web\".lan", &known), profile("web", "lan"));
        assert_eq!(meant("we\"b.l\"an", &known), machine("web.lan"), "Nix joins what has no dot");
    }

    #[test]
    fn quotes_that_do_not_match_are_refused() {
        for word in ["\"web.lan", "web\"", "\"a\".\"b"] {
            let refused = Word::parse(word).unwrap_err();
            assert_eq!(refused.what, format!("the quotes in `{word}` do not match"));
        }
        for word in [".", "\"\"", "\"\".\"\""] {
            assert!(Word::parse(word).is_err(), "{word}");
        }
    }

    #[test]
    fn a_word_with_dots_is_tried_longest_first() {
        let meanings: Vec<_> =
            Word::parse("a.b.c").unwrap().meanings().map(|(machine, _)| machine).collect();
        assert_eq!(meanings, ["a.b.c", "a.b", "a"]);
    }
}
