//! The machine's host key, and its secrets, which it is to read with that key.

use std::path::PathBuf;

use super::look::Looked;
use crate::{
    args::InstallArgs,
    commands::secrets::machine_key::{MachineKey, kept},
    error::{Failure, Result, State},
    install::{files::ExtraFiles, host_key::HostKey},
    report::{Event, Report},
    secrets::{generated, recipient::Recipient},
    stages::fleet::{self, DeclaredSecret},
    tools::process,
};

/// The host key that the machine gets, and what of the flake follows from it.
pub struct KeyPlan {
    key: HostKey,
    /// Where it comes from, for people.
    from: String,
    readers: Option<(MachineKey, Vec<DeclaredSecret>)>,
}

/// A host key that the machine's secrets are encrypted to, ready to be put on the machine.
pub struct WrittenKey {
    /// Its public half.
    pub public: String,
    /// The files for the machine.
    pub files: ExtraFiles,
    /// What was written in the flake.
    changed: Option<String>,
}

/// Makes or reads the key, and finds what has to be written. Nothing is changed.
pub async fn plan(args: &InstallArgs, looked: &Looked, report: &Report) -> Result<KeyPlan> {
    process::leave_no_core();
    let Looked { machine, wish, .. } = looked;
    let name = &machine.name;
    let refused = || Failure::unchanged(format!("{name} has no host key to be installed with"));
    let found = match &args.host_key {
        Some(file) => {
            let key = HostKey::of_file(file)
                .map_err(|why| refused().because(format!("{}: {why}", file.display())))?;
            Some((key, file.clone()))
        }
        None => kept_in_the_flake(args, looked, report).await?,
    };
    let is_new = found.is_none();
    let (key, from) = match found {
        Some((key, file)) => (key, format!("of {}", file.display())),
        None => {
            let made = generated::ssh_key().map_err(|why| refused().because(why))?;
            let key = HostKey::parse(made.text).map_err(|why| refused().because(why))?;
            (key, "new".to_owned())
        }
    };
    if machine.ssh.host_key.as_ref().is_some_and(|pinned| !pinned.contains(&key.public)) {
        return Err(refused()
            .because(format!("the flake pins another key in deploy.nodes.{name}.ssh.hostKey"))
            .hint(Some("--host-key FILE takes that one along; or leave the pin out".into())));
    }
    if wish.sops && is_new {
        return Err(refused()
            .because("sops-nix decrypts its secrets, and they are not encrypted to a new key")
            .hint(Some("--host-key FILE names the key that .sops.yaml is for".into())));
    }
    let readers = readers(args, looked, &key, report).await?;
    Ok(KeyPlan { key, from, readers })
}

/// The key that `deploy new` made for the machine, with its file:
/// `a-machine-of-deploy-new-is-installed-with-the-key-that-it-was-given`.
async fn kept_in_the_flake(
    args: &InstallArgs,
    looked: &Looked,
    report: &Report,
) -> Result<Option<(HostKey, PathBuf)>> {
    let Some(folder) = &looked.folder else { return Ok(None) };
    let found = kept(&looked.machine.name, folder, (&args.rules(), &args.keys), report).await?;
    let Some((text, file)) = found else { return Ok(None) };
    let key = HostKey::parse(text).map_err(|why| {
        Failure::unchanged(format!("{} has no host key to be installed with", looked.machine.name))
            .because(format!("{}: {why}", file.display()))
    })?;
    Ok(Some((key, file)))
}

/// The rules of the machine's secrets, if agenix decrypts them with the host key.
async fn readers(
    args: &InstallArgs,
    looked: &Looked,
    key: &HostKey,
    report: &Report,
) -> Result<Option<(MachineKey, Vec<DeclaredSecret>)>> {
    let Looked { nix, machine, wish, selection, overrides, folder, .. } = looked;
    let name = &machine.name;
    if wish.identities.is_empty() {
        return Ok(None);
    }
    if !wish.identities.contains(&wish.host_key) {
        let text = format!(
            "agenix opens the secrets with {}, which deploy install does not bring",
            wish.identities.join(", ")
        );
        report.tell(Event::Warning { machine: Some(name.clone()), text });
        return Ok(None);
    }
    let Some(folder) = folder else {
        if args.host_key.is_some() {
            report.note(
                name,
                "whether its secrets are for this key is not known: the flake is not here",
            );
            return Ok(None);
        }
        let what = format!("the secrets of {name} cannot be encrypted to a new key");
        return Err(Failure::unchanged(what)
            .because(format!("`{}` is no folder here", selection.flake))
            .hint(Some(
                "run it in a clone, or name a key that they are for: --host-key FILE".into(),
            )));
    };
    let found = MachineKey::find(name, &key.public, folder, &args.rules(), report).await?;
    let declared = fleet::declared_secrets(nix, selection, overrides, report).await?;
    Ok(Some((found, declared)))
}

impl KeyPlan {
    /// What is written and handed over, for people.
    pub fn lines(&self) -> Vec<String> {
        let fingerprint = match Recipient::parse(&self.key.public) {
            Ok(key) => key.fingerprint().to_owned(),
            Err(_) => self.key.public.clone(),
        };
        let change = self.readers.as_ref().and_then(|(found, _)| found.change());
        let key = format!("host key: {fingerprint}, {}", self.from);
        std::iter::once(key).chain(change.map(|change| format!("readers:  {change}"))).collect()
    }

    /// The public half of the key.
    pub fn public(&self) -> &str {
        &self.key.public
    }

    /// Whether anything is written in the flake.
    pub fn changes(&self) -> bool {
        self.readers.as_ref().is_some_and(|(found, _)| found.change().is_some())
    }

    /// Writes the key among the readers of the machine's secrets, encrypts these anew, and lays the key
    /// out for the machine.
    pub async fn write(
        self,
        args: &InstallArgs,
        looked: &Looked,
        report: &Report,
    ) -> Result<WrittenKey> {
        let Self { key, readers, .. } = self;
        let files = ExtraFiles::with(&key, &looked.wish.host_key).map_err(|error| {
            Failure::unchanged("the host key cannot be laid out for the machine").because(error)
        })?;
        let mut changed = None;
        if let Some((found, declared)) = readers {
            changed = found.change();
            found.write(&declared, (&args.rules(), &args.keys), report).await?;
        }
        Ok(WrittenKey { public: key.public, files, changed })
    }
}

impl WrittenKey {
    /// A failure before the computer is touched: what was written in the flake stays.
    pub fn say_changed(&self, failure: Box<Failure>) -> Box<Failure> {
        match (&self.changed, &failure.state) {
            (Some(changed), State::Unchanged) => failure
                .state(State::Changed(format!("the computer was not touched; written: {changed}"))),
            _ => failure,
        }
    }

    /// The failure of an interrupt before the computer is touched.
    pub fn interrupted(&self) -> Box<Failure> {
        self.say_changed(Failure::unchanged("interrupted; the computer was not touched"))
    }
}
