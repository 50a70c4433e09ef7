//! A machine's host key among the readers of its secrets, for `deploy install`.

use std::path::{Path, PathBuf};

use super::super::{
    Opened, evaluated,
    recipients::{add::PlacedKey, rewritten::KeyChange},
};
use crate::{
    args::{KeyArgs, RulesArgs},
    error::{Failure, Result, State},
    report::Report,
    secrets::{compared, head::Head, rules},
    stages::fleet::DeclaredSecret,
    tools::process,
};

/// The rules of a flake, with the host key that a machine gets.
pub struct MachineKey {
    opened: Opened,
    placed: PlacedKey,
    machine: String,
}

impl MachineKey {
    /// Finds the rules from the flake's folder, and the place of the machine's key in what they name.
    /// Nothing is changed.
    pub async fn find(
        machine: &str,
        public: &str,
        folder: &Path,
        args: &RulesArgs,
        report: &Report,
    ) -> Result<Self> {
        process::leave_no_core();
        let wanted = std::env::var_os("RULES").filter(|rules| !rules.is_empty()).map(PathBuf::from);
        let at = rules::find(args.rules.as_deref().or(wanted.as_deref()), folder)?;
        let opened = evaluated(at, folder.to_owned(), args, report).await?;
        let what = format!("the host key of {machine} has no place");
        let placed = PlacedKey::find(machine, public, &opened, &what)?;
        Ok(Self { opened, placed, machine: machine.to_owned() })
    }

    /// What is written, for people; `None` if nothing is.
    pub fn change(&self) -> Option<String> {
        let PlacedKey { key, file, name, change, .. } = &self.placed;
        let fingerprint = key.fingerprint();
        match change.as_ref()? {
            KeyChange::Replaced(old, _) => {
                let reads = self.opened.rules.list.iter().filter(|it| it.recipients.contains(old));
                let count = match reads.count() {
                    1 => "1 secret is".to_owned(),
                    count => format!("{count} secrets are"),
                };
                Some(format!(
                    "{name} in {file} becomes {fingerprint}, in place of {}; {count} encrypted \
                     anew",
                    old.fingerprint()
                ))
            }
            _ => Some(format!("{name} in {file} becomes {fingerprint}")),
        }
    }

    /// Writes it and encrypts anew what it reads, and then refuses if a secret of the machine's is not
    /// for it. The failure says what was written.
    pub async fn write(
        self,
        declared: &[DeclaredSecret],
        (rules, keys): (&RulesArgs, &KeyArgs),
        report: &Report,
    ) -> Result<()> {
        let Self { opened, placed, machine } = self;
        let key = placed.key.clone();
        let what = format!("the host key of {machine} was not written");
        let after = placed.write((&opened, rules, keys), &what, report).await?;
        let mine = declared.iter().filter(|secret| secret.machine == machine);
        let mut closed = Vec::new();
        for secret in mine {
            let Some(rule) = after.rules.list.iter().find(|rule| secret.is_in(&rule.path)) else {
                continue;
            };
            if !rule.recipients.contains(&key) {
                closed.push(format!("the rule `{}` does not name the key of {machine}", rule.name));
            } else if let Ok(bytes) = std::fs::read(&rule.path) {
                let lacks = Head::of(&bytes[..]).map(|head| {
                    compared::compare(&head, &rule.recipients, &[]).lacks.contains(&key)
                });
                match lacks {
                    Ok(false) => {}
                    Ok(true) => closed.push(format!("{} is not encrypted to it", rule.name)),
                    Err(why) => closed.push(format!("{}: {why}", rule.name)),
                }
            }
        }
        if closed.is_empty() {
            return Ok(());
        }
        let what = format!("{machine} could not read its secrets");
        let state = "its key is among the readers; nothing was installed";
        let file = after.rules.file.display();
        let failure = closed.into_iter().fold(Failure::unchanged(what), Failure::because);
        Err(failure.state(State::Changed(state.into())).hint(Some(format!(
            "let {file} name the key of {machine} for them, then: deploy secrets rekey"
        ))))
    }
}
