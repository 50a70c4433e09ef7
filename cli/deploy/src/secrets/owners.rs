//! Whose a key is, in the words of the files that name it.
//!
//! Rules have keys, and no names: `frame1 = "ssh-ed25519 …";` is gone once Nix has read it. The
//! files are looked through for the key's text, and the name in front of it is taken. It is for
//! people to read; nothing is decided by it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{
    recipient::Recipient,
    rules::{RulesFile, SecretRules},
};

/// Files that are looked through at most, and bytes of each.
const MOST: (usize, usize) = (20, 1 << 20);

/// The texts in which names are looked for.
pub struct Owners(Vec<(PathBuf, String)>);

impl Owners {
    /// Reads them from the rules, and from the files inside the repository that these import.
    pub fn of(at: &RulesFile) -> Self {
        let mut seen = BTreeSet::new();
        let (mut next, mut texts) = (vec![at.file.clone()], Vec::new());
        while let Some(file) = next.pop().filter(|_| texts.len() < MOST.0) {
            if !file.starts_with(&at.root) || !seen.insert(file.clone()) {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap_or_default();
            if text.len() <= MOST.1 {
                next.extend(imported(&file, &text));
                texts.push((file, text));
            }
        }
        Self(texts)
    }

    /// The files that were read, the rules' own first.
    pub fn files(&self) -> &[(PathBuf, String)] {
        &self.0
    }

    /// A name for a key: that in front of it, else its comment, else its fingerprint.
    pub fn name(&self, key: &Recipient) -> String {
        let bare = key.text().split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let named = self.0.iter().find_map(|(_, text)| {
            let at = text.find(&bare)?;
            in_front(&text[..at])
        });
        let comment = Some(key.comment().to_owned()).filter(|comment| !comment.is_empty());
        named.or(comment).unwrap_or_else(|| key.fingerprint().to_owned())
    }

    /// Each key of the rules with its name.
    pub fn names(&self, rules: &SecretRules) -> Vec<(Recipient, String)> {
        let all = rules.recipients().into_iter();
        all.map(|key| (key.clone(), self.name(&key))).collect()
    }
}

/// The attribute whose value begins behind `text`: `frame1 = "`, `admins.joe = [ "`.
fn in_front(text: &str) -> Option<String> {
    let text = text.trim_end().strip_suffix(['"', '\''])?.trim_end_matches('\'').trim_end();
    let text = text.trim_end_matches('[').trim_end().strip_suffix('=')?.trim_end();
    let is_of_a_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '\'' | '.' | '"');
    let begin = text.rfind(|c: char| !is_of_a_name(c)).map_or(0, |at| at + 1);
    let name = text[begin..].replace('"', "");
    (!name.is_empty()).then_some(name)
}

/// Files that a text imports by a path relative to it.
fn imported(file: &Path, text: &str) -> Vec<PathBuf> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ';'));
    let paths = words.filter(|word| word.starts_with("./") || word.starts_with("../"));
    let files = paths.filter_map(|path| folder.join(path).canonicalize().ok());
    let files = files.map(|path| if path.is_dir() { path.join("default.nix") } else { path });
    files.filter(|path| path.extension().is_some_and(|end| end == "nix")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_name_that_stands_in_front_of_it() {
        let key =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0qz7RS5vMz5+eZRMrcul8AWoBdxnDrSx2HN16avSKV";
        let named = |text: String| {
            Owners(vec![(PathBuf::new(), text)]).name(&Recipient::parse(key).unwrap())
        };
        assert_eq!(
            named(format!("{{ machines = {{\n frame1 = \"{key} root@x\"; }}; }}")),
            "frame1"
        );
        assert_eq!(named(format!("let joe-1 = [ \"{key}\" ]; in")), "joe-1");
        assert_eq!(named(format!("admins.\"joe\" = ''{key}'';")), "admins.joe");
        assert!(named(format!("[ \"{key}\" ]")).starts_with("SHA256:"));
        assert!(named(String::new()).starts_with("SHA256:"));
        let with_comment = Recipient::parse(&format!("{key} joe@laptop")).unwrap();
        assert_eq!(Owners(Vec::new()).name(&with_comment), "joe@laptop");
    }

    #[test]
    fn what_rules_import_is_looked_through() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let file = root.join("secrets/secrets.nix");
        fs::create_dir_all(root.join("secrets")).unwrap();
        fs::create_dir_all(root.join("keys")).unwrap();
        fs::write(&file, "let k = import ../keys; in (import ./more.nix)").unwrap();
        fs::write(root.join("keys/default.nix"), "one").unwrap();
        fs::write(root.join("secrets/more.nix"), "import ../keys two").unwrap();
        let at = RulesFile { folder: root.join("secrets"), root, file };
        assert_eq!(Owners::of(&at).0.len(), 3);
    }
}
