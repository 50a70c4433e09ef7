//! What a generator made becomes files: the secret, the public half of a key beside it, and the
//! password of a hash as a secret of its own. All of them are written, or none.

use std::{io, path::Path};

use deploy_wire::machine::Generator;

use super::{Opened, cut_off, done, put, shown};
use crate::{
    error::{Failure, Result},
    report::Report,
    secrets::{answers::Answers, generated::Generated, lock, rules::Rule, together::Together},
};

/// Whether the secret is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Making {
    /// It is not, nor is its password.
    New,
    /// Both are replaced where they are there.
    Anew,
}

/// A file to be.
struct PlannedSecret {
    name: String,
    before: Option<Vec<u8>>,
    after: Vec<u8>,
}

/// Writes what `by` made of a rule's secret; tells what was written, and `then` behind it.
pub async fn write(
    made: &Generated,
    (rule, by): (&Rule, Option<&Generator>),
    making: Making,
    opened: &Opened,
    (report, then): (&Report, &str),
) -> Result<()> {
    let refused = |why: &io::Error| {
        Failure::unchanged(format!("the secret {} was not made", rule.name)).because(why)
    };
    let folder = &opened.rules.folder;
    let password = match &made.password {
        Some(text) => Some((password_of(rule, by, opened)?, text)),
        None => None,
    };
    let answers = Answers::default();
    let _lock = lock::take(folder).await?;
    cut_off::finish(folder, report)?;
    let mut planned = vec![planned(rule, making, put::encrypted(rule, &made.text, &answers)?)?];
    if let Some((rule, text)) = password {
        planned.push(self::planned(rule, making, put::encrypted(rule, text, &answers)?)?);
    }
    let public = made.public.as_ref().map(|public| (rule.path.with_extension("pub"), public));
    if let Some((beside, public)) = &public {
        let name = Path::new(&rule.name).with_extension("pub").display().to_string();
        let after = format!("{public}\n").into_bytes();
        planned.push(PlannedSecret { name, before: put::before(beside)?, after });
    }
    let mut together = Together::begin(folder).map_err(|error| refused(&error))?;
    for PlannedSecret { name, before, after } in &planned {
        together.add(name, before.as_deref(), after).map_err(|error| refused(&error))?;
    }
    let finished = together.name_all().map_err(|error| cut_off::half_done(&error, folder))?;
    let new = |name: &str| planned.iter().any(|file| file.name == name && file.before.is_none());
    for (rule, is_first) in
        [Some((rule, true)), password.map(|(rule, _)| (rule, false))].into_iter().flatten()
    {
        if !finished.named.contains(&rule.name) {
            continue;
        }
        let mut words = put::words(rule, opened, new(&rule.name));
        match &public {
            Some((beside, _)) if is_first && new(&rule.name) => {
                words += &format!(" {}", shown(beside, &opened.here));
            }
            Some((beside, _)) if is_first => {
                words += &format!("; its public half is in {}", shown(beside, &opened.here));
            }
            _ => {}
        }
        if !is_first {
            words += ": the password in clear text";
        }
        if is_first {
            words += then;
        }
        done(report, rule, words);
    }
    cut_off::tell_passed_over(&finished, report);
    Ok(())
}

fn planned(rule: &Rule, making: Making, after: Vec<u8>) -> Result<PlannedSecret> {
    let before = put::before(&rule.path)?;
    if before.is_some() && making == Making::New {
        return Err(Failure::unchanged(format!("the secret {} is there already", rule.name))
            .hint(Some(format!("deploy secrets rotate {}", rule.name))));
    }
    Ok(PlannedSecret { name: rule.name.clone(), before, after })
}

/// The rule of the secret that gets the password of a hash: beside the hash, under the name that
/// the generator says.
pub fn password_of<'o>(
    rule: &Rule,
    by: Option<&Generator>,
    opened: &'o Opened,
) -> Result<&'o Rule> {
    let own = rule.path.file_stem().unwrap_or_default().to_string_lossy();
    let name = match by.and_then(|by| by.password.as_deref()) {
        Some(name) => name.to_owned(),
        None => format!("{own}-password"),
    };
    let file = rule.path.with_file_name(format!("{name}.age"));
    opened.rules.list.iter().find(|rule| rule.path == file).ok_or_else(|| {
        let rules = shown(&opened.rules.file, &opened.here);
        let name = Path::new(&rule.name).with_file_name(format!("{name}.age"));
        let name = name.display();
        Failure::unchanged(format!("the secret {} was not made", rule.name))
            .because(format!("nobody could read its password: {rules} has no rule for {name}"))
            .hint(Some(format!(
                "add one, for those who are to know it: \"{name}\".publicKeys = [ … ];"
            )))
    })
}
