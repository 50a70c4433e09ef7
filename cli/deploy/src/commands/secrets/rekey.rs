//! `deploy secrets rekey`: files that are encrypted to others than the rules say.

use std::path::PathBuf;

use super::{Opened, cut_off, failed, open, put};
use crate::{
    args::RekeyArgs,
    error::{Failure, Result},
    report::{Event, Report},
    secrets::{
        compared, encrypted,
        head::Head,
        identities::Identities,
        lock,
        rules::Rule,
        together::{FinishedWrites, Together},
    },
    tools::process,
};

/// Encrypts them anew, all or none. 1: they are as they were, or as the failure says.
pub async fn run(args: &RekeyArgs) -> u8 {
    let report = Report::new(args.shown.format(), args.rules.detail());
    match rekey(args, &report).await {
        Ok(()) => 0,
        Err(failure) => failed(&report, failure),
    }
}

/// A file, and what it has now.
struct WrongFile<'r> {
    rule: &'r Rule,
    bytes: Vec<u8>,
    head: Head,
}

impl<'r> WrongFile<'r> {
    /// The file of a rule; nothing where there is none.
    fn read(rule: &'r Rule) -> Result<Option<Self>> {
        let Some(bytes) = put::before(&rule.path)? else { return Ok(None) };
        let head = Head::of(&bytes[..]).map_err(|why| not_all(rule, &why))?;
        Ok(Some(Self { rule, bytes, head }))
    }
}

/// Encrypts the files of these rules anew, all or none. The lock is held, and what was cut off is
/// finished.
pub async fn anew(
    rules: &[&Rule],
    identities: &[PathBuf],
    opened: &Opened,
    report: &Report,
) -> Result<()> {
    let mut files = Vec::new();
    for rule in rules {
        files.extend(WrongFile::read(rule)?);
    }
    write(&files, identities, opened, report).await
}

async fn write(
    files: &[WrongFile<'_>],
    identities: &[PathBuf],
    opened: &Opened,
    report: &Report,
) -> Result<()> {
    if !files.is_empty() {
        let finished = encrypt_anew(identities, files, opened).await?;
        tell(&finished, files, opened, report);
    }
    Ok(())
}

async fn rekey(args: &RekeyArgs, report: &Report) -> Result<()> {
    process::leave_no_core();
    let opened = open(&args.rules, report).await?;
    let rules = chosen(args, &opened)?;
    let folder = &opened.rules.folder;
    let _lock = lock::take(folder).await?;
    cut_off::finish(folder, report)?;
    let mut counted = 0;
    let mut files = Vec::new();
    for rule in rules {
        let Some(file) = WrongFile::read(rule)? else { continue };
        let WrongFile { rule, head, .. } = &file;
        if args.all || !compared::compare(head, &rule.recipients, &[]).is_none() {
            files.push(file);
        } else if compared::is_counted_only(&rule.recipients) {
            counted += 1;
        }
    }
    write(&files, &args.keys.identities, &opened, report).await?;
    let mut text = match files.len() {
        0 => "nothing to encrypt anew".to_owned(),
        count => format!("{count} secrets were encrypted anew"),
    };
    if counted > 0 {
        text += &format!(
            "; {counted} have keys that can be counted only, and --all encrypts them anew too"
        );
    }
    report.tell(Event::SecretsDone { secret: None, text });
    Ok(())
}

/// The rules that are meant: by their names, or by the names of keys.
fn chosen<'o>(args: &RekeyArgs, opened: &'o Opened) -> Result<Vec<&'o Rule>> {
    if args.names.is_empty() {
        return Ok(opened.rules.list.iter().collect());
    }
    let keys = opened.owners.names(&opened.rules);
    let mut chosen: Vec<&Rule> = Vec::new();
    for word in &args.names {
        let is = |name: &str| name == word || name.rsplit('.').next() == Some(word);
        let named = keys.iter().filter(|(_, name)| is(name)).map(|(key, _)| key);
        let named: Vec<_> = named.collect();
        let has = |rule: &&Rule| named.iter().any(|key| rule.recipients.contains(key));
        let of_keys = opened.rules.list.iter().filter(has);
        let more: Vec<&Rule> = match opened.rules.named(word, &opened.here) {
            Some(rule) => vec![rule],
            None if !named.is_empty() => of_keys.collect(),
            None => vec![opened.rule(word)?],
        };
        for rule in more {
            if !chosen.iter().any(|other| other.path == rule.path) {
                chosen.push(rule);
            }
        }
    }
    Ok(chosen)
}

/// Opens all, puts what they become beside them, and names it once all of it is on the disk.
async fn encrypt_anew(
    identities: &[PathBuf],
    files: &[WrongFile<'_>],
    opened: &Opened,
) -> Result<FinishedWrites> {
    let folder = &opened.rules.folder;
    let mut keys = Identities::load(identities)?;
    keys.unlock(files.iter().map(|file| &file.head)).await?;
    let mut together = Together::begin(folder).map_err(|error| nothing(&error.to_string()))?;
    let mut closed = Vec::new();
    for WrongFile { rule, bytes, .. } in files {
        let text = match encrypted::decrypt(bytes, &keys) {
            Ok(text) => text,
            Err(why) => {
                closed.push(format!("{}: {why}", rule.name));
                continue;
            }
        };
        if closed.is_empty() {
            let after = put::encrypted(rule, &text, keys.answers())?;
            together
                .add(&rule.name, Some(bytes), &after)
                .map_err(|error| not_all(rule, &error.to_string()))?;
        }
    }
    if !closed.is_empty() {
        let failure = closed.iter().fold(nothing(""), Failure::because);
        return Err(failure
            .because(format!("tried: {}", keys.names()))
            .hint(Some("name a key that opens all of them: -i FILE".into())));
    }
    together.name_all().map_err(|error| cut_off::half_done(&error, folder))
}

fn nothing(why: &str) -> Box<Failure> {
    Failure::unchanged("no secret was encrypted anew").because(why)
}

fn not_all(rule: &Rule, why: &str) -> Box<Failure> {
    nothing(&format!("{}: {why}", rule.name))
}

fn tell(finished: &FinishedWrites, files: &[WrongFile<'_>], opened: &Opened, report: &Report) {
    for file in files.iter().filter(|file| finished.named.contains(&file.rule.name)) {
        super::done(report, file.rule, put::words(file.rule, opened, false));
    }
    cut_off::tell_passed_over(finished, report);
}
