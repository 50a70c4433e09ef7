//! What a script on a machine printed: words, and files.
//!
//! `@KEY VALUE` is a word. A file's lines stand behind `|`, between `@file NAME` and `@endfile`.

use std::collections::BTreeMap;

/// The words and files of an output.
#[derive(Debug, Default)]
pub struct Answer {
    words: BTreeMap<String, Vec<String>>,
    files: BTreeMap<String, String>,
}

impl Answer {
    /// Parses the output. Other lines are ignored; a start-up file may print some.
    pub fn read(text: &str) -> Self {
        let mut answer = Self::default();
        let mut file: Option<(String, String)> = None;
        for line in text.lines() {
            if let Some(content) = line.strip_prefix('|') {
                if let Some((_, text)) = file.as_mut() {
                    text.push_str(content);
                    text.push('\n');
                }
            } else if let Some(word) = line.strip_prefix('@') {
                let (key, value) = word.split_once(' ').unwrap_or((word, ""));
                match key {
                    "file" => file = Some((value.to_owned(), String::new())),
                    "endfile" => answer.files.extend(file.take()),
                    _ => {
                        let values = answer.words.entry(key.to_owned()).or_default();
                        values.push(value.trim().to_owned());
                    }
                }
            }
        }
        answer
    }

    /// The value of a word, the last one where it was printed twice; `None` if it is missing or
    /// empty.
    pub fn word(&self, key: &str) -> Option<&str> {
        self.all(key).last().map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a word was printed, with or without a value.
    pub fn has(&self, key: &str) -> bool {
        self.words.contains_key(key)
    }

    /// All values of a word.
    pub fn all(&self, key: &str) -> &[String] {
        self.words.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// The text of a file; `None` if it was not printed.
    pub fn file(&self, name: &str) -> Option<&str> {
        self.files.get(name).map(String::as_str)
    }
}
