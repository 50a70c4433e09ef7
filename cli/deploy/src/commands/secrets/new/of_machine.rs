//! All secrets that the services of a machine declare and nobody has made yet.

use std::path::{Path, PathBuf};

use deploy_wire::machine::{Generator, Machine, Secret};
use zeroize::Zeroizing;

use super::{
    super::{Opened, done, put, shown, uses},
    NewArgs,
};
use crate::{
    commands::deploy,
    error::{Failure, Result, State},
    report::{Event, Report},
    secrets::{
        answers::Answers,
        generated::{self, Generated},
        rules::Rule,
        written,
    },
    stages::{
        flake::{self, Aim},
        fleet::source,
        plan::secrets,
    },
    tools::{
        printable::Printable,
        process::Invocation,
        terminal::{self, Echo},
    },
};

/// Makes what is missing. What one cannot make is left, and told.
pub async fn make(args: &NewArgs, opened: &Opened, report: &Report) -> Result<()> {
    let selection = flake::select(std::slice::from_ref(&args.name))?.aimed_at(Aim::Look);
    let overrides = uses::overrides(&args.rules);
    let (_, fleet) = deploy::fleet(&selection, &overrides, report).await?;
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
            Some(by) => Some(self.generated(by, rule).await?),
            None if self.args.generate => None,
            None => typed(secret, rule).await?,
        };
        let Some(Generated { text, public }) = made else {
            let hint = match secret.hint.is_empty() {
                true => String::new(),
                false => format!(" ({})", secret.hint),
            };
            done(self.report, rule, format!("left{hint}: deploy secrets new {}", rule.name));
            return Ok(false);
        };
        put::put(rule, &text, None, self.opened, &Answers::default()).await?;
        let mut words = put::words(rule, self.opened, true);
        if let Some(public) = public {
            let beside = rule.path.with_extension("pub");
            let written = written::stage(&beside, format!("{public}\n").as_bytes());
            written.and_then(written::StagedFile::name).map_err(|error| {
                let what = format!("{} was not written", shown(&beside, &self.opened.here));
                Failure::unchanged(what).because(error)
            })?;
            words += &format!(" {}", shown(&beside, &self.opened.here));
        }
        done(self.report, rule, words);
        Ok(true)
    }

    async fn generated(&self, by: &Generator, rule: &Rule) -> Result<Generated> {
        let refused = |why: String| {
            Failure::unchanged(format!("the secret {} was not made", rule.name)).because(why)
        };
        match generated::generate(by).map_err(refused)? {
            Some(made) => Ok(made),
            None => self.by_program(by).await.map_err(refused),
        }
    }

    /// What the declared program prints. A flake from elsewhere starts none here.
    async fn by_program(&self, by: &Generator) -> std::result::Result<Generated, String> {
        let Some((program, words)) = by.command.split_first() else {
            return Err("its generator names no program".into());
        };
        let Some(folder) = &self.folder else {
            return Err(format!(
                "its generator starts `{program}`, and the flake is no folder here"
            ));
        };
        let line = Invocation::new("/bin/sh")
            .args(["-c", "cd \"$0\" && exec \"$@\""])
            .arg(folder.as_os_str())
            .arg(program)
            .args(words);
        let text = line.output().await.map_err(|error| {
            format!("`{}`: {error}: {}", by.command.join(" "), error.stderr().trim())
        })?;
        let text = Zeroizing::new(text);
        match text.is_empty() {
            true => Err(format!("`{}` printed nothing", by.command.join(" "))),
            false => Ok(Generated { text, public: None }),
        }
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
    Ok((!text.is_empty()).then_some(Generated { text, public: None }))
}
