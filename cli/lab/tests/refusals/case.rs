//! A case's file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// What opens the last value of a file, which is all that an update rewrites.
const SAID: &str = "said = '''\n";

/// One refusal, as its file has it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file's path below `cases`, without its ending.
    pub name: String,
    pub text: Text,
    file: PathBuf,
}

/// The fields of a case's file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Shell, in the flake's folder on the operator's machine. What it changes there is
    /// undone by git.
    #[serde(default)]
    pub flake: String,
    /// Then shell on the machine that is deployed to.
    #[serde(default)]
    pub machine: String,
    /// Then shell on the operator's machine.
    #[serde(default)]
    pub operator: String,
    /// What undoes `operator`, first.
    #[serde(default)]
    pub undo_operator: String,
    /// What undoes `machine`.
    #[serde(default)]
    pub undo_machine: String,
    /// The command line, in the flake's folder.
    pub command: String,
    /// What is typed on a terminal; without it there is none.
    pub terminal: Option<Vec<Typed>>,
    /// The exit code.
    pub exit: i32,
    /// What is printed, with stand-ins for what differs from run to run.
    pub said: String,
}

/// Words that are typed once the terminal shows something.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    pub after: String,
    pub line: String,
}

/// Where a case runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On this machine, with nothing but the program.
    Here,
    /// On the operator's host, with a machine that must stay as it is.
    Hosts,
}

impl Case {
    /// All cases, by name.
    pub fn all() -> Result<Vec<Self>> {
        let folder = folder();
        let mut cases = Vec::new();
        for theme in entries(&folder)? {
            for file in entries(&theme)? {
                cases.push(Self::read(&folder, file)?);
            }
        }
        if cases.is_empty() {
            bail!("there are no cases in {}", folder.display());
        }
        Ok(cases)
    }

    /// The case of that name.
    pub fn named(name: &str) -> Result<Self> {
        Self::read(&folder(), folder().join(format!("{name}.toml")))
    }

    fn read(folder: &Path, file: PathBuf) -> Result<Self> {
        let read = || -> Result<Text> { Ok(toml::from_str(&fs::read_to_string(&file)?)?) };
        let text = read().with_context(|| file.display().to_string())?;
        let name = file.with_extension("");
        let name = name.strip_prefix(folder)?.to_string_lossy().into_owned();
        Ok(Self { name, text, file })
    }

    /// Where it runs: what is about the command line alone needs no host.
    pub fn place(&self) -> Place {
        if self.name.starts_with("command-line/") { Place::Here } else { Place::Hosts }
    }

    /// Makes what was printed the expectation.
    pub fn expect(&self, exit: i32, said: &str) -> Result<()> {
        let text = fs::read_to_string(&self.file)?;
        let (head, _) = text.split_once(SAID).context("the file does not end with `said`")?;
        let head =
            head.replace(&format!("exit = {}\n", self.text.exit), &format!("exit = {exit}\n"));
        Ok(fs::write(&self.file, format!("{head}{SAID}{said}'''\n"))?)
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refusals/cases")
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.sort();
    Ok(paths)
}
