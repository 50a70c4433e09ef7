//! All secrets that the services of a machine declare and nobody has made yet.

use std::path::{Path, PathBuf};

use deploy_wire::machine::{Machine, Secret};
use zeroize::Zeroizing;

use super::{
    super::{
        Opened, done, generate,
        made::{self, Making},
        shown, uses,
    },
    NewArgs,
};
use crate::{
    commands::evaluate,
    error::{Failure, Result, State},
    report::{Event, Report},
    secrets::{generated::Generated, rules::Rule},
    stages::{
        flake::{self, Aim},
        fleet::source,
        plan::secrets,
    },
    tools::{
        printable::Printable,
        terminal::{self, Echo},
    },
};

/// Makes what is missing. What one cannot make is left, and told.
pub async fn make(args: &NewArgs, opened: &Opened, report: &Report) -> Result<()> {
    let selection = flake::select(std::slice::from_ref(&args.name))?.aimed_at(Aim::Look);
    let overrides = uses::overrides(&args.rules);
    let (_, fleet) = evaluate::fleet(&selection, &overrides, report).await?;
    let folder = source::folder(&selection.flake).and_then(|folder| {
        folder.ancestors().find(|above| above.join("flake.nix").is_file()).map(Path::to_owned)
    });
    let maker = Maker { args, opened, report, folder };
    for machine in &fleet.machines {
        maker.all_of(machine).await?;
    }
    match fleet.failed.is_empty() {
        true => Ok(()),
        false => {
            Err(Failure::unchanged(format!("{} cannot be evaluated", fleet.failed.join(", "))))
        }
    }
}

/// Makes secrets of machines.
struct Maker<'a> {
    args: &'a NewArgs,
    opened: &'a Opened,
    report: &'a Report,
    /// The flake's folder, where it is one here.
    folder: Option<PathBuf>,
}

impl Maker<'_> {
    async fn all_of(&self, machine: &Machine) -> Result<()> {
        let missing = secrets::missing(machine);
        let mut with_rules: Vec<(&Secret, &Rule)> = missing
            .iter()
            .map(|secret| Ok((*secret, self.rule(secret)?)))
            .collect::<Result<_>>()?;
        // What makes itself is there even where the first question stays without an answer.
        with_rules.sort_by_key(|(secret, _)| secret.generator.is_none());
        let (mut made, mut left) = (Vec::new(), Vec::new());
        for (secret, rule) in with_rules {
            if rule.path.exists() {
                let file = shown(&rule.path, &self.opened.here);
                let text = format!("is there; the flake does not see it: git add {file}");
                done(self.report, rule, text);
                continue;
            }
            match self.one(secret, rule).await {
                Ok(true) => made.push(rule.name.as_str()),
                Ok(false) => left.push(rule),
                Err(failure) if made.is_empty() => return Err(failure),
                Err(failure) => {
                    return Err(failure.state(State::Changed(format!("made: {}", made.join(", ")))));
                }
            }
        }
        let text = match (missing.len(), left.len()) {
            (0, _) => format!("{}: no secret is missing", machine.name),
            (all, 0) => format!("{}: all {all} secrets that were missing are there", machine.name),
            (all, left) => format!("{}: {left} of {all} missing secrets were left", machine.name),
        };
        self.report.tell(Event::SecretsDone { secret: None, text });
        Ok(())
    }

    /// The rule of a secret: that of its file's name.
    fn rule(&self, secret: &Secret) -> Result<&Rule> {
        let file = Path::new(&secret.file).file_name().unwrap_or_default().to_string_lossy();
        self.opened.rules.named(&file, &self.opened.rules.folder).ok_or_else(|| {
            let rules = shown(&self.opened.rules.file, &self.opened.here);
            Failure::unchanged(format!("nobody could read the secret {}", secret.name))
                .because(format!("{rules} has no rule for {file}"))
                .hint(Some(format!("add one: \"{file}\".publicKeys = [ … ];")))
        })
    }

    /// Makes one; whether there was something to make it of.
    async fn one(&self, secret: &Secret, rule: &Rule) -> Result<bool> {
        let made = match &secret.generator {
            Some(by) => Some(generate::generate(by, rule, self.folder.as_deref()).await?),
            None if self.args.generate => None,
            None => typed(secret, rule).await?,
        };
        let Some(made) = made else {
            let hint = match secret.hint.is_empty() {
                true => String::new(),
                false => format!(" ({})", secret.hint),
            };
            done(self.report, rule, format!("left{hint}: deploy secrets new {}", rule.name));
            return Ok(false);
        };
        let of = (rule, secret.generator.as_ref());
        made::write(&made, of, Making::New, self.opened, (self.report, "")).await?;
        Ok(true)
    }
}

/// What a person says to it; nothing where they say nothing.
async fn typed(secret: &Secret, rule: &Rule) -> Result<Option<Generated>> {
    let hint = match secret.hint.is_empty() {
        true => "what belongs into it".to_owned(),
        false => secret.hint.clone(),
    };
    let question = format!("{}: {hint} (Enter leaves it):", rule.name);
    let said = terminal::ask(Printable::line(&question), Echo::Hidden).await.map_err(|error| {
        Failure::unchanged(format!("the secret {} was not made", rule.name))
            .because(format!("it could not be asked for: {error}"))
            .hint(Some("--generate asks nothing, and leaves what does not make itself".into()))
    })?;
    let text = Zeroizing::new(said.as_bytes().to_vec());
    Ok((!text.is_empty()).then(|| Generated::alone(text)))
}
