//! The answers about a new machine: from flags, else from the terminal.

use std::{io, path::PathBuf};

use crate::{
    args::NewMachineArgs,
    error::{Failure, Result},
    question::ask_for_line,
    report::Report,
    scaffold::{
        answers::{self, NoAnswer},
        fleet_call::FleetCall,
        services::{self, OfferedService},
    },
    stages::flake,
};

/// Why there is nothing to write.
pub enum NotAnswered {
    /// It is refused.
    Refused(Box<Failure>),
    /// There is no terminal to ask on.
    Nobody(Box<Failure>),
}

impl From<Box<Failure>> for NotAnswered {
    fn from(failure: Box<Failure>) -> Self {
        Self::Refused(failure)
    }
}

/// The fleet and the machine's name that a word means.
pub fn place(word: &str) -> Result<(FleetCall, String)> {
    let refused = || Failure::unchanged(format!("no machine `{word}` was written"));
    let named = flake::parse(word)?;
    let name = named.machine.map(|word| word.name()).unwrap_or_default();
    let name = answers::host_name(&name).map_err(|why| {
        refused().because(why).hint(Some("a name as frame2, or path/to/flake#frame2".into()))
    })?;
    let folder = match named.flake.as_str() {
        "." => nearest(),
        other => PathBuf::from(other).canonicalize(),
    };
    let folder = folder.map_err(|error| {
        refused().because(format!("the flake `{}`: {error}", named.flake)).hint(Some(
            "the folder is written into a flake that is a folder here: path/to/flake#frame2".into(),
        ))
    })?;
    Ok((FleetCall::find(&folder)?, name))
}

/// The flake of the current folder: the nearest one above, as Nix takes it, else the folder itself.
fn nearest() -> io::Result<PathBuf> {
    let here = std::env::current_dir()?.canonicalize()?;
    let found = here.ancestors().find(|folder| folder.join("flake.nix").is_file());
    Ok(found.unwrap_or(&here).to_owned())
}

/// What a new machine is to be.
pub struct MachineAnswers {
    /// Its platform.
    pub platform: String,
    /// Its disk.
    pub disk: String,
    /// Its address.
    pub address: String,
    /// Its services.
    pub services: Vec<OfferedService>,
    /// The domain of its sites.
    pub domain: Option<String>,
}

/// A question: the flags that answer it and all others, and how the answer is read.
struct Question {
    flags: String,
    text: String,
    usual: &'static str,
    read: fn(&str) -> std::result::Result<String, NoAnswer>,
}

impl MachineAnswers {
    /// Asks what no flag says.
    pub async fn ask(
        args: &NewMachineArgs,
        name: &str,
        report: &Report,
    ) -> std::result::Result<Self, NotAnswered> {
        let ask = async |given: &Option<String>, question: Question| match given {
            Some(answer) => Ok(answer.clone()),
            None => question.ask(name, report).await,
        };
        let platform = Question {
            flags: missing(args),
            text: "the platform, x86_64-linux or aarch64-linux".into(),
            usual: "x86_64-linux",
            read: answers::platform,
        };
        let platform = ask(&args.platform, platform).await?;
        let disk = Question {
            flags: missing(args),
            text: "the disk, as ls -l /dev/disk/by-id shows it on the machine or in the installer"
                .into(),
            usual: "",
            read: answers::disk,
        };
        let disk = ask(&args.disk, disk).await?;
        let address = Question {
            flags: missing(args),
            text: "the name or IP address by which SSH is to reach it".into(),
            usual: "",
            read: answers::address,
        };
        let address = ask(&args.address, address).await?;
        let services = services(args, name, report).await?;
        let domain = match services::need_domain(&services) {
            true => {
                let domain = Question {
                    flags: "--domain".into(),
                    text: "the domain of its sites, as home.example.org".into(),
                    usual: "",
                    read: answers::domain,
                };
                Some(ask(&args.folder.domain, domain).await?)
            }
            false => None,
        };
        if answers::may_change(&disk) {
            let text = format!(
                "{disk} may be another disk after a restart: /dev/disk/by-id has names that stay"
            );
            report.tell(crate::report::Event::Warning { machine: Some(name.to_owned()), text });
        }
        Ok(Self { platform, disk, address, services, domain })
    }
}

/// The flags that would have to be there without a terminal.
fn missing(args: &NewMachineArgs) -> String {
    let flags = [
        ("--platform", args.platform.is_none()),
        ("--disk", args.disk.is_none()),
        ("--address", args.address.is_none()),
        ("--service", args.folder.services.is_empty()),
    ];
    let missing: Vec<&str> = flags.iter().filter(|(_, is)| *is).map(|(flag, _)| *flag).collect();
    missing.join(", ")
}

async fn services(
    args: &NewMachineArgs,
    name: &str,
    report: &Report,
) -> std::result::Result<Vec<OfferedService>, NotAnswered> {
    if !args.folder.services.is_empty() {
        return Ok(chosen(&args.folder.services, name)?);
    }
    let question = Question {
        flags: missing(args),
        text: format!("its services ({})", services::names()),
        usual: "ssh",
        read: |text| match services::chosen(words(text)) {
            Ok(_) => Ok(text.to_owned()),
            Err(_) => Err(NoAnswer::new("a service of the list, or several with blanks")),
        },
    };
    let answer = question.ask(name, report).await?;
    services::chosen(words(&answer)).map_err(|word| NotAnswered::Refused(unknown(&word, name)))
}

/// The services that flags name.
pub fn chosen(flags: &[String], name: &str) -> Result<Vec<OfferedService>> {
    services::chosen(flags.iter().map(String::as_str)).map_err(|word| unknown(&word, name))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',']).filter(|word| !word.is_empty())
}

fn unknown(word: &str, name: &str) -> Box<Failure> {
    Failure::unchanged(format!("{name} was not written"))
        .because(format!("no service `{word}` is shipped that a machine can begin with"))
        .hint(Some(format!("there are {}", services::names())))
}

impl Question {
    /// Asks until the answer can be used.
    async fn ask(&self, name: &str, report: &Report) -> std::result::Result<String, NotAnswered> {
        let mut why = String::new();
        loop {
            let text = format!("{why}{}", self.text);
            let answer = report.while_asking(ask_for_line(&text, self.usual)).await;
            let answer = answer.map_err(|error| {
                let refused = Failure::unchanged(format!("{name} was not written"))
                    .because(format!("could not ask: {error}"))
                    .hint(Some(format!("these flags answer: {}", self.flags)));
                NotAnswered::Nobody(refused)
            })?;
            match (self.read)(&answer) {
                Ok(answer) => return Ok(answer),
                Err(not) => why = format!("{not}. "),
            }
        }
    }
}
