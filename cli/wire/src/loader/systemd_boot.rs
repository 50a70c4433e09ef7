//! systemd-boot's choice of the default entry. It follows the Boot Loader Specification and what
//! systemd-boot does with `loader.conf` and its EFI variables.

use std::{cmp::Ordering, collections::BTreeMap};

use super::{init_of, version};

/// The files on the EFI system partition, and the EFI variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemdBoot {
    /// The text of `loader/loader.conf`.
    pub loader_conf: String,
    /// The files of `loader/entries` as name → text.
    pub entries: BTreeMap<String, String>,
    /// The names of unified kernel images in `EFI/Linux`. Each of them is an entry as well.
    pub images: Vec<String>,
    /// The EFI variables that systemd-boot reads.
    pub variables: Variables,
}

/// The EFI variables that take precedence over `loader.conf`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Variables {
    /// The machine was not booted by EFI, so it has no variables.
    #[default]
    None,
    /// The variables cannot be read.
    Unreadable,
    /// The values of the variables.
    Read {
        /// `LoaderEntryOneShot`, which applies to the next boot only.
        one_shot: Option<String>,
        /// `LoaderEntryDefault`, which the menu or `bootctl set-default` sets.
        default: Option<String>,
    },
}

/// One entry of the menu.
#[derive(Debug, PartialEq, Eq)]
struct LoaderEntry<'a> {
    id: String,
    sort_key: Option<&'a str>,
    machine_id: Option<&'a str>,
    version: Option<&'a str>,
    init: Option<&'a str>,
    /// Boot counting has no tries left for this entry.
    bad: bool,
}

/// The `init=` of the entry that the next boot takes, or why it cannot be determined.
pub fn default_init(found: &SystemdBoot) -> Result<String, String> {
    let mut entries: Vec<LoaderEntry<'_>> = found
        .entries
        .iter()
        .filter(|(name, _)| name.to_lowercase().ends_with(".conf"))
        .map(|(name, text)| LoaderEntry::read(name, text))
        .collect();
    entries.sort_by(LoaderEntry::order);
    let conf = word(&found.loader_conf, "default");
    let wanted = match &found.variables {
        Variables::Unreadable => return Err("its EFI variables cannot be read".into()),
        Variables::Read { one_shot: Some(id), .. } => Some(id.as_str()),
        Variables::Read { default: Some(id), .. } => Some(id.as_str()),
        _ if conf == Some("@saved") => return Err("its default is what was started last".into()),
        _ => conf,
    };
    let entry = match wanted {
        Some(wanted) => {
            let pattern = wanted.to_lowercase();
            let of_image = |name: &String| matches(&pattern, &name.to_lowercase());
            if found.images.iter().any(of_image) {
                return Err(format!("its default `{wanted}` is a unified kernel image"));
            }
            let entry = entries.iter().find(|entry| matches(&pattern, &entry.id));
            entry.ok_or_else(|| format!("it has no entry `{wanted}`, its default"))?
        }
        None if !found.images.is_empty() => {
            return Err("it sets no default, and has unified kernel images".into());
        }
        None => entries.first().ok_or("it sets no default and has no entries")?,
    };
    let init = entry.init.map(str::to_owned);
    init.ok_or_else(|| format!("its default entry `{}` has no init=", entry.id))
}

/// The value of `key` in the last line that begins with it.
fn word<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().rev().find_map(|line| {
        let (word, value) = line.trim().split_once(char::is_whitespace)?;
        Some(value.trim()).filter(|value| word == key && !value.is_empty())
    })
}

impl<'a> LoaderEntry<'a> {
    fn read(name: &str, text: &'a str) -> Self {
        let (id, left) = without_tries(&name.to_lowercase());
        let options = text.lines().filter_map(|line| line.trim().strip_prefix("options"));
        Self {
            id,
            sort_key: word(text, "sort-key"),
            machine_id: word(text, "machine-id"),
            version: word(text, "version"),
            init: options.filter_map(init_of).next(),
            bad: left == Some(0),
        }
    }

    /// The order of the menu: entries with a sort key first, the newest version first, and entries
    /// without tries left last.
    fn order(&self, other: &Self) -> Ordering {
        let newest = |a: &str, b: &str| version::compare(b, a);
        let by_key = || match (self.sort_key, other.sort_key) {
            (Some(a), Some(b)) => {
                a.cmp(b).then_with(|| self.machine_id.cmp(&other.machine_id)).then_with(|| {
                    newest(self.version.unwrap_or_default(), other.version.unwrap_or_default())
                })
            }
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        self.bad.cmp(&other.bad).then_with(by_key).then_with(|| newest(&self.id, &other.id))
    }
}

/// Splits the name of an entry's file into the entry's id and the number of tries left. Boot
/// counting writes `+LEFT` or `+LEFT-DONE` before the file's ending; the id is the name without it.
fn without_tries(name: &str) -> (String, Option<u64>) {
    let counted = || {
        let stem = name.strip_suffix(".conf")?;
        let (stem, counters) = stem.rsplit_once('+')?;
        let (left, done) = counters.split_once('-').unwrap_or((counters, "0"));
        done.parse::<u64>().ok()?;
        Some((format!("{stem}.conf"), Some(left.parse().ok()?)))
    };
    counted().unwrap_or_else(|| (name.to_owned(), None))
}

/// Whether a glob pattern matches the whole name. It knows `*`, `?`, `[…]` and the escape `\`.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    // A table instead of recursion, so that a pattern with many stars stays fast.
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    let mut at = 0;
    while at < pattern.len() {
        let mut next = vec![false; name.len() + 1];
        if pattern[at] == '*' {
            let mut any = false;
            for (place, here) in reached.iter().enumerate() {
                any |= here;
                next[place] = any;
            }
            at += 1;
        } else {
            let (length, accepts) = one(&pattern[at..]);
            for (place, letter) in name.iter().enumerate() {
                next[place + 1] = reached[place] && accepts(*letter);
            }
            at += length;
        }
        reached = next;
    }
    reached[name.len()]
}

/// The predicate of the pattern's first element, and the element's length in characters.
fn one(pattern: &[char]) -> (usize, Box<dyn Fn(char) -> bool + '_>) {
    match pattern {
        ['?', ..] => (1, Box::new(|_| true)),
        ['\\', literal, ..] => (2, Box::new(move |letter| letter == *literal)),
        ['[', rest @ ..] if rest.iter().skip(1).any(|letter| *letter == ']') => {
            // A `]` right after the opening bracket is a member of the set.
            let end = 1 + rest.iter().skip(1).position(|letter| *letter == ']').unwrap_or(0);
            let members = &rest[..end];
            (end + 2, Box::new(move |letter| in_set(members, letter)))
        }
        [literal, ..] => (1, Box::new(move |letter| letter == *literal)),
        [] => (1, Box::new(|_| false)),
    }
}

fn in_set(members: &[char], letter: char) -> bool {
    match members {
        [from, '-', to, rest @ ..] => (*from..=*to).contains(&letter) || in_set(rest, letter),
        [member, rest @ ..] => *member == letter || in_set(rest, letter),
        [] => false,
    }
}

#[cfg(test)]
#[path = "systemd_boot_tests.rs"]
mod tests;
