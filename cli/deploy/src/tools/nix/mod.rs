//! Nix's command line. It has exactly the commands that `deploy` uses.

mod arguments;
mod diagnosis;
mod dry_run;
mod error;
pub mod essence;
mod file;
mod flake;
pub mod log;
mod remote;
mod settings;
mod version;
#[cfg(test)]
mod versions_tests;
pub mod warnings;

pub use diagnosis::NixDiagnosis;
pub use dry_run::BuildWork;
pub use error::NixError;
pub use flake::{Evaluated, Metadata};
pub use remote::{RemoteStore, Substitute};
pub use settings::{Purity, Settings};
pub use version::{OLDEST, is_too_old};

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use deploy_wire::store_path::StorePath;
use serde_json::Value;
use tokio::sync::OnceCell;

use arguments::{build_args, common_args};
use remote::at;

use self::log::Progress;
use super::process::{self, Invocation, ProcessError};

/// Nix on this computer.
#[derive(Debug, Clone)]
pub struct Nix {
    program: PathBuf,
    user_args: Vec<String>,
    /// The flake's build settings that the user trusts.
    flake_settings: Vec<(String, String)>,
    settings: OnceCell<Settings>,
}

/// The number of log lines that a failed build shows.
const LOG_LINES: &str = "25";

/// The folders outside PATH where Nix's installers put it.
fn usual_places() -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> =
        ["/nix/var/nix/profiles/default/bin", "/run/current-system/sw/bin"]
            .map(PathBuf::from)
            .into();
    if let Some(home) = std::env::var_os("HOME") {
        places.push(Path::new(&home).join(".nix-profile/bin"));
    }
    places
}

impl Nix {
    /// Finds `nix`. `user_args`, from behind `--`, are passed to each evaluation and build.
    pub fn find(user_args: &[String]) -> Result<Self, NixError> {
        let places = usual_places();
        let program = process::find("nix", &places).ok_or_else(|| {
            let places: Vec<_> = places.iter().map(|place| place.display().to_string()).collect();
            NixError::Missing(places.join(", "))
        })?;
        Ok(Self::at(program, user_args))
    }

    pub(crate) fn at(program: PathBuf, user_args: &[String]) -> Self {
        Self {
            program,
            user_args: user_args.to_vec(),
            flake_settings: Vec::new(),
            settings: OnceCell::new(),
        }
    }

    /// Sets the flake's settings for builds. The user's own settings take precedence.
    pub fn use_settings(&mut self, settings: Vec<(String, String)>) {
        self.flake_settings = settings;
    }

    fn invocation(&self, words: &[&str]) -> Invocation {
        Invocation::new(&self.program)
            .args(["--extra-experimental-features", "nix-command flakes"])
            .args(words.iter().copied())
    }

    /// Nix's name and version, as `nix (Nix) 2.26.3`.
    pub async fn version(&self) -> Result<String, NixError> {
        let output = Invocation::new(&self.program).arg("--version").output().await;
        Ok(String::from_utf8_lossy(&output.map_err(failed)?).trim().to_owned())
    }

    /// Builds the output `out` of a derivation, locally or in `store`. `ignored` is called for each
    /// setting that the Nix daemon ignores.
    pub async fn build(
        &self,
        drv: &StorePath,
        store: Option<&RemoteStore>,
        mut tell: impl FnMut(Progress),
        ignored: impl FnMut(String),
    ) -> Result<StorePath, NixError> {
        let mut command = self
            .invocation(&[
                "build",
                "--no-link",
                "--print-out-paths",
                "--log-format",
                "internal-json",
                "--log-lines",
                LOG_LINES,
            ])
            .args(["-v"])
            .args(self.build_settings());
        if let Some(store) = store {
            command = at(command, store).args(["--eval-store", "auto", "--store", &store.url]);
        }
        let command = command.args(["--".to_owned(), format!("{drv}^out")]);
        let mut log = log::Reader::default();
        let output = command.watched(|line| log.line(line).into_iter().for_each(&mut tell)).await;
        let output = output.map_err(|error| log.failure(&error))?;
        log.ignored().into_iter().for_each(ignored);
        let out = String::from_utf8_lossy(&output).trim().to_owned();
        StorePath::parse(&out)
            .map_err(|error| NixError::Unreadable { command: "nix build", why: error.to_string() })
    }

    /// Makes `link` lead to a path of the local store, which is kept as long as the link exists.
    pub async fn root(&self, path: &StorePath, link: &Path) -> Result<(), NixError> {
        let command = self.invocation(&["build", "--out-link"]).arg(link);
        let command = command.args(["--", path.as_str()]);
        command.output().await.map(drop).map_err(failed)
    }

    /// What a build would do, without building.
    pub async fn dry_run(&self, drv: &StorePath) -> Result<BuildWork, NixError> {
        let mut said = String::new();
        let command = self
            .invocation(&["build", "--dry-run", "--no-link"])
            .args(self.build_settings())
            .args(["--".to_owned(), format!("{drv}^out")]);
        let output = command.watched(|line| {
            said.push_str(line);
            said.push('\n');
        });
        output.await.map_err(failed)?;
        Ok(BuildWork::read(&said))
    }

    /// Builds or fetches a package of nixpkgs, of the version that the flake has locked, and returns
    /// its path in the local store. A flake without an input of that name has Nix's registry decide.
    pub async fn package(&self, flake: &str, name: &str) -> Result<PathBuf, NixError> {
        let command = self
            .invocation(&["build", "--no-link", "--print-out-paths", "--no-write-lock-file"])
            .args(["--inputs-from", flake])
            .args(self.build_settings())
            .args(["--".to_owned(), format!("nixpkgs#{name}")]);
        let output = command.output().await.map_err(failed)?;
        let output = String::from_utf8_lossy(&output);
        output.lines().next().map(|line| PathBuf::from(line.trim())).ok_or_else(|| {
            NixError::Unreadable { command: "nix build", why: "it printed no path".to_owned() }
        })
    }

    /// Copies the closures of `paths` to `store`, from the local one or from `from`. Nothing of
    /// what it copies from there is stored here. `moves` is called for everything that Nix prints.
    pub async fn copy(
        &self,
        paths: &[&StorePath],
        from: Option<&RemoteStore>,
        store: &RemoteStore,
        substitute: Substitute,
        mut moves: impl FnMut(),
        mut tell: impl FnMut(Progress),
    ) -> Result<(), NixError> {
        let mut command = at(self.invocation(&["copy", "--no-check-sigs"]), store).args([
            "--log-format",
            "internal-json",
            "-v",
            "--to",
            &store.url,
        ]);
        // There is one NIX_SSHOPTS for both, so one of the two must be reached without ssh.
        if let Some(from) = from {
            command = at(command, from).args(["--from", &from.url]);
        }
        if substitute == Substitute::First {
            command = command.arg("--substitute-on-destination");
        }
        let command = command.arg("--").args(paths.iter().map(|path| path.as_str()));
        let mut log = log::Reader::default();
        let output = command.watched(|line| {
            moves();
            log.line(line).into_iter().for_each(&mut tell);
        });
        let output = output.await;
        output.map(|_| ()).map_err(|error| log.failure(&error))
    }

    /// Adds a file to the local store by its contents. `nix store add` does the same, but Nix 2.18
    /// and Lix lack it.
    pub async fn add_file(&self, name: &str, file: &Path) -> Result<StorePath, NixError> {
        let command = self.invocation(&["store", "add-path", "--name", name, "--"]).arg(file);
        let output = command.output().await.map_err(failed)?;
        StorePath::parse(String::from_utf8_lossy(&output).trim()).map_err(|error| {
            NixError::Unreadable { command: "nix store add-path", why: error.to_string() }
        })
    }

    /// The sizes of the paths in a local closure, in bytes as NARs.
    pub async fn sizes(&self, path: &StorePath) -> Result<BTreeMap<String, u64>, NixError> {
        let command =
            self.invocation(&["path-info", "--json", "--recursive", "--"]).arg(path.as_str());
        let json = json("nix path-info", &command.output().await.map_err(failed)?)?;
        Ok(nar_sizes(&json))
    }

    /// Copies the closure of `path` from `store` to the local store.
    pub async fn copy_here(
        &self,
        path: &StorePath,
        store: &RemoteStore,
        mut tell: impl FnMut(Progress),
    ) -> Result<(), NixError> {
        let command = at(self.invocation(&["copy", "--no-check-sigs"]), store)
            .args(["--log-format", "internal-json", "-v", "--from", &store.url, "--"])
            .arg(path.as_str());
        let mut log = log::Reader::default();
        let output = command.watched(|line| log.line(line).into_iter().for_each(&mut tell)).await;
        output.map(|_| ()).map_err(|error| log.failure(&error))
    }

    /// The platforms of a derivation and of its inputs.
    pub async fn systems_of(&self, drv: &StorePath) -> Result<BTreeSet<String>, NixError> {
        let command = self.invocation(&["derivation", "show", "--recursive", "--"]);
        let output = command.arg(drv.as_str()).output().await.map_err(failed)?;
        let json = json("nix derivation show", &output)?;
        // Nix 2.33 nests the derivations one level deeper.
        let all = json.get("derivations").unwrap_or(&json).as_object();
        let systems = all.into_iter().flat_map(|all| all.values()).map(|drv| &drv["system"]);
        Ok(systems.filter_map(|system| system.as_str().map(str::to_owned)).collect())
    }
}

/// Nix up to 2.18 prints a list, later versions an object by path.
fn nar_sizes(json: &Value) -> BTreeMap<String, u64> {
    let one = |path: &str, entry: &Value| Some((path.to_owned(), entry["narSize"].as_u64()?));
    match json {
        Value::Object(paths) => paths.iter().filter_map(|(path, e)| one(path, e)).collect(),
        Value::Array(paths) => {
            paths.iter().filter_map(|entry| one(entry["path"].as_str()?, entry)).collect()
        }
        _ => BTreeMap::new(),
    }
}

fn json(command: &'static str, output: &[u8]) -> Result<Value, NixError> {
    serde_json::from_slice(output)
        .map_err(|error| NixError::Unreadable { command, why: error.to_string() })
}

fn failed(error: ProcessError) -> NixError {
    let said = error.stderr().trim();
    NixError::Failed(if said.is_empty() { error.to_string() } else { said.to_owned() })
}
