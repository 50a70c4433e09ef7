//! `deploy secrets recipients add`: a key gets a name, or a name another key.

use std::path::PathBuf;

use super::{
    super::{Opened, done_all, evaluated, failed, for_people, open, shown},
    from_host,
    rewritten::{self, KeyChange, Rewritten},
};
use crate::{
    args::{AddRecipientArgs, KeyArgs, RulesArgs},
    error::{Failure, Result},
    report::Report,
    secrets::{
        keys::{self, KeyBinding, KeyPlace, KeySet},
        recipient::Recipient,
    },
    tools::process,
};

/// What sets of machines' host keys are called.
const OF_MACHINES: [&str; 6] = ["machines", "hosts", "systems", "servers", "nodes", "hostKeys"];

/// Adds it. 1: nothing was changed, or as the failure says.
pub async fn run(args: &AddRecipientArgs) -> u8 {
    let report = for_people(&args.rules);
    match add(args, &report).await {
        Ok(()) => 0,
        Err(failure) => failed(&report, failure),
    }
}

async fn add(args: &AddRecipientArgs, report: &Report) -> Result<()> {
    process::leave_no_core();
    let name = &args.name;
    let what = format!("the key of {name} was not added");
    let opened = open(&args.rules, report).await?;
    if name.is_empty() || name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Failure::unchanged(what).because("a name has no blanks, and at least a letter"));
    }
    let text = match (&args.key, &args.from_host) {
        (Some(key), _) => key.trim().to_owned(),
        (None, host) => {
            let host = host.as_ref().and_then(Option::as_deref);
            from_host::key(args, host, &opened, report).await?
        }
    };
    let placed = PlacedKey::find(name, &text, &opened, &what)?;
    let PlacedKey { key, file, name: shown_name, change, .. } = &placed;
    let (key, file, shown_name) = (key.clone(), file.clone(), shown_name.clone());
    let Some(change) = change.clone() else {
        done_all(report, format!("{shown_name} has that key in {file} already"));
        return Ok(());
    };
    let whole = (&opened, &args.rules, &args.keys);
    let after = placed.write(whole, &what, report).await?;
    let fingerprint = key.fingerprint();
    let reads = after.rules.list.iter().filter(|rule| rule.recipients.contains(&key)).count();
    let then = match (reads, &change) {
        (0, _) => format!(
            "no rule names it yet: put it into those of what it is to read, in {}, then deploy \
             secrets rekey",
            shown(&after.rules.file, &after.here)
        ),
        (_, KeyChange::Replaced(old, _)) => format!(
            "it reads {reads} secrets instead of {}; where that key is not destroyed, rotate them",
            old.fingerprint()
        ),
        _ => format!("it reads {reads} secrets"),
    };
    done_all(report, format!("{shown_name}: {fingerprint} is in {file}: {then}"));
    Ok(())
}

/// A key, with the place that it goes to.
pub struct PlacedKey {
    /// The key.
    pub key: Recipient,
    /// The file that gets it, from the current folder.
    pub file: String,
    /// Its name as the file has it then.
    pub name: String,
    /// What changes; `None` if the name has that key already.
    pub change: Option<KeyChange>,
    rewritten: Rewritten,
}

impl PlacedKey {
    /// Finds the place of a key with this name. `what` failed otherwise.
    pub fn find(name: &str, text: &str, opened: &Opened, what: &str) -> Result<Self> {
        let key = Recipient::parse(text)
            .map_err(|why| Failure::unchanged(what).because(format!("`{text}`: {why}")))?;
        let place = KeyTarget::find(name, opened)
            .map_err(|(why, hint)| Failure::unchanged(what).because(why).hint(Some(hint)))?;
        let change = match &place {
            KeyTarget::Named(_, _, binding) if binding.key == text => None,
            KeyTarget::Named(_, _, binding) => match Recipient::parse(&binding.key) {
                Ok(old) if old != key => Some(KeyChange::Replaced(old, key.clone())),
                _ => Some(KeyChange::Added(key.clone())),
            },
            KeyTarget::New(..) => Some(KeyChange::Added(key.clone())),
        };
        let file = shown(place.file(), &opened.here);
        let shown_name = place.name(name);
        Ok(Self { key, file, name: shown_name, change, rewritten: place.rewritten(name, text) })
    }

    /// Writes it, and encrypts anew what it is to read; gives what the rules are then. All or none of
    /// it is done.
    pub async fn write(
        self,
        whole: (&Opened, &RulesArgs, &KeyArgs),
        what: &str,
        report: &Report,
    ) -> Result<Opened> {
        let Some(change) = self.change else {
            let (opened, rules, _) = whole;
            return evaluated(opened.at.clone(), opened.here.clone(), rules, report).await;
        };
        rewritten::apply(&[self.rewritten], &change, whole, what, report).await
    }
}

/// Where the key goes.
pub enum KeyTarget {
    /// A name that has a key already.
    Named(PathBuf, String, KeyBinding),
    /// A set that gets a name more.
    New(PathBuf, String, KeySet),
}

impl KeyTarget {
    /// The place of a name: its own, else the set that is named in front of it, else the set of the
    /// machines' keys. The error has a hint.
    pub fn find(name: &str, opened: &Opened) -> std::result::Result<Self, (String, String)> {
        let named = super::named(name, opened);
        match named.as_slice() {
            [] => {}
            [(file, text, binding)] => {
                return Ok(Self::Named(file.clone(), text.clone(), binding.clone()));
            }
            several => {
                let names = super::listed(several, opened);
                return Err((
                    format!("several keys have that name: {names}"),
                    "name it with its set, as machines.NAME".into(),
                ));
            }
        }
        let files = opened.owners.files().iter();
        let mut sets: Vec<(PathBuf, String, KeySet)> = files
            .flat_map(|(file, text)| {
                keys::sets(text).into_iter().map(move |set| (file.clone(), text.clone(), set))
            })
            .collect();
        let all: Vec<String> = sets.iter().map(|(_, _, set)| set.path.join(".")).collect();
        let is_wanted = |set: &KeySet| !set.path.is_empty() && own_name(name, set) != name;
        let is_of_machines =
            |set: &KeySet| set.path.last().is_some_and(|name| OF_MACHINES.contains(&name.as_str()));
        let is_used = |set: &KeySet| matches!(set.place, KeyPlace::Behind { .. });
        for is in [&is_wanted as &dyn Fn(&KeySet) -> bool, &is_of_machines, &is_used] {
            let fits: Vec<usize> = (0..sets.len()).filter(|at| is(&sets[*at].2)).collect();
            match fits.as_slice() {
                [] => {}
                [one] => {
                    let (file, text, set) = sets.swap_remove(*one);
                    return Ok(Self::New(file, text, set));
                }
                _ => break,
            }
        }
        Err(match all.is_empty() {
            true => (
                "neither the rules nor what they import has a set with keys".into(),
                "put it in by hand: machines = { NAME = \"ssh-ed25519 …\"; };".into(),
            ),
            false => (
                format!("it is not clear which set it belongs to: {}", all.join(", ")),
                "name it with its set, as machines.NAME".into(),
            ),
        })
    }

    /// The file that has it, or gets it.
    pub fn file(&self) -> &std::path::Path {
        match self {
            Self::Named(file, ..) | Self::New(file, ..) => file,
        }
    }

    /// The name as files have it then.
    pub fn name(&self, word: &str) -> String {
        match self {
            Self::Named(_, _, binding) => binding.path.join("."),
            Self::New(_, _, set) => {
                let own = own_name(word, set);
                set.path.iter().map(String::as_str).chain([own]).collect::<Vec<_>>().join(".")
            }
        }
    }

    /// The file with the key.
    pub fn rewritten(self, word: &str, key: &str) -> Rewritten {
        match self {
            Self::Named(file, before, binding) => {
                Rewritten { after: keys::replaced(&before, &binding, key), file, before }
            }
            Self::New(file, before, set) => {
                let after = keys::added(&before, &set, own_name(word, &set), key);
                Rewritten { file, before, after }
            }
        }
    }
}

/// The name without the set in front of it.
fn own_name<'w>(word: &'w str, set: &KeySet) -> &'w str {
    word.strip_prefix(&set.path.join(".")).and_then(|rest| rest.strip_prefix('.')).unwrap_or(word)
}
