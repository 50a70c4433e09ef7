//! Nix's command line: exactly the commands that `deploy` uses.

mod arguments;
mod remote;

pub use remote::{RemoteStore, Substitute};

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use deploy_wire::store_path::StorePath;
use serde_json::Value;

use arguments::{build_args, lock_args};
use remote::at;

use super::{
    nix_log::{self, Progress},
    process::{self, Invocation, ProcessError},
};

/// Nix on this computer.
#[derive(Debug, Clone)]
pub struct Nix {
    program: PathBuf,
    user_args: Vec<String>,
}

/// Why Nix's work is not usable.
#[derive(Debug, thiserror::Error)]
pub enum NixError {
    /// There is no `nix`.
    #[error("there is no `nix` on this computer; looked on PATH and in {0}")]
    Missing(String),
    /// Nix failed; the text is its own error.
    #[error("{0}")]
    Failed(String),
    /// Nix said something unexpected.
    #[error("{command} answered what cannot be read: {why}")]
    Unreadable {
        /// Which command.
        command: &'static str,
        /// Why.
        why: String,
    },
}

/// What `nix flake metadata` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The locked flake reference, as attributes.
    pub locked: Value,
    /// The inputs' locks.
    pub locks: Value,
    /// The flake reference with everything that pins it.
    pub url: String,
    /// What the user's reference resolves to, as `git+file:///…`.
    pub resolved_url: String,
}

impl Metadata {
    /// Whether the same reference will always mean the same tree.
    pub fn is_clean(&self) -> bool {
        self.locked.get("narHash").is_some() && self.locked.get("dirtyRev").is_none()
    }
}

/// How many lines of its log a failed build shows.
const LOG_LINES: &str = "25";

/// Where Nix's installers put it besides PATH.
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
    /// Finds `nix`; `user_args` (what came after `--`) go to each evaluation and
    /// build.
    pub fn find(user_args: &[String]) -> Result<Self, NixError> {
        let places = usual_places();
        let program = process::find("nix", &places).ok_or_else(|| {
            let places: Vec<_> = places.iter().map(|place| place.display().to_string()).collect();
            NixError::Missing(places.join(", "))
        })?;
        Ok(Self { program, user_args: user_args.to_vec() })
    }

    fn invocation(&self, words: &[&str]) -> Invocation {
        Invocation::new(&self.program)
            .args(["--extra-experimental-features", "nix-command flakes"])
            .args(words.iter().copied())
    }

    /// Nix's own name and version, as `nix (Nix) 2.26.3`.
    pub async fn version(&self) -> Result<String, NixError> {
        let output = Invocation::new(&self.program).arg("--version").output().await;
        Ok(String::from_utf8_lossy(&output.map_err(failed)?).trim().to_owned())
    }

    /// What the flake's reference means now.
    pub async fn metadata(&self, flake: &str) -> Result<Metadata, NixError> {
        let command = self
            .invocation(&["flake", "metadata", "--json", "--no-write-lock-file", "--show-trace"])
            .args(lock_args(&self.user_args))
            .args(["--", flake]);
        let json = json("nix flake metadata", &command.output().await.map_err(failed)?)?;
        let text = |field: &str| json[field].as_str().unwrap_or_default().to_owned();
        Ok(Metadata {
            url: text("url"),
            resolved_url: text("resolvedUrl"),
            locked: json["locked"].clone(),
            locks: json["locks"].clone(),
        })
    }

    /// Evaluates a function of all the flake's outputs.
    pub async fn eval(&self, flake: &str, function: &str) -> Result<Value, NixError> {
        let command = self
            .invocation(&["eval", "--json", "--no-write-lock-file", "--show-trace"])
            .args(["--apply", function])
            .args(&self.user_args)
            .args(["--".to_owned(), format!("{flake}#.")]);
        json("nix eval", &command.output().await.map_err(failed)?)
    }

    /// Runs the flake's own checks.
    pub async fn check(&self, flake: &str, mut tell: impl FnMut(&str)) -> Result<(), NixError> {
        let command =
            self.invocation(&["flake", "check"]).args(&self.user_args).args(["--", flake]);
        command.watched(|line| tell(line)).await.map(|_| ()).map_err(failed)
    }

    /// Builds a derivation's output `out`, here or in `store`.
    pub async fn build(
        &self,
        drv: &StorePath,
        store: Option<&RemoteStore>,
        mut tell: impl FnMut(Progress),
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
            .args(build_args(&self.user_args));
        if let Some(store) = store {
            command = at(command, store).args(["--eval-store", "auto", "--store", &store.url]);
        }
        let command = command.args(["--".to_owned(), format!("{drv}^out")]);
        let mut log = nix_log::Reader::default();
        let output = command.watched(|line| log.line(line).into_iter().for_each(&mut tell)).await;
        let output = output.map_err(|error| log.failure(&error))?;
        let out = String::from_utf8_lossy(&output).trim().to_owned();
        StorePath::parse(&out)
            .map_err(|error| NixError::Unreadable { command: "nix build", why: error.to_string() })
    }

    /// What Nix says that a build would do.
    pub async fn dry_run(&self, drv: &StorePath) -> Result<String, NixError> {
        let mut said = String::new();
        let command = self
            .invocation(&["build", "--dry-run", "--no-link"])
            .args(build_args(&self.user_args))
            .args(["--".to_owned(), format!("{drv}^out")]);
        let output = command.watched(|line| {
            said.push_str(line);
            said.push('\n');
        });
        output.await.map_err(failed)?;
        Ok(said)
    }

    /// Copies the closures of `paths` to `store`. `moves` is called for whatever Nix says.
    pub async fn copy(
        &self,
        paths: &[&StorePath],
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
        if substitute == Substitute::First {
            command = command.arg("--substitute-on-destination");
        }
        let command = command.arg("--").args(paths.iter().map(|path| path.as_str()));
        let mut log = nix_log::Reader::default();
        let output = command.watched(|line| {
            moves();
            log.line(line).into_iter().for_each(&mut tell);
        });
        let output = output.await;
        output.map(|_| ()).map_err(|error| log.failure(&error))
    }

    /// Adds one file to the store here, by its contents.
    pub async fn add_file(&self, name: &str, file: &Path) -> Result<StorePath, NixError> {
        let command = self.invocation(&["store", "add", "--name", name, "--"]).arg(file);
        let output = command.output().await.map_err(failed)?;
        StorePath::parse(String::from_utf8_lossy(&output).trim()).map_err(|error| {
            NixError::Unreadable { command: "nix store add", why: error.to_string() }
        })
    }

    /// The sizes of the paths of a closure here, in bytes as NARs.
    pub async fn sizes(&self, path: &StorePath) -> Result<BTreeMap<String, u64>, NixError> {
        let command =
            self.invocation(&["path-info", "--json", "--recursive", "--"]).arg(path.as_str());
        let json = json("nix path-info", &command.output().await.map_err(failed)?)?;
        Ok(nar_sizes(&json))
    }

    /// Copies the closure of `path` from `store` to here.
    pub async fn copy_here(
        &self,
        path: &StorePath,
        store: &RemoteStore,
        mut tell: impl FnMut(Progress),
    ) -> Result<(), NixError> {
        let command = at(self.invocation(&["copy", "--no-check-sigs"]), store)
            .args(["--log-format", "internal-json", "-v", "--from", &store.url, "--"])
            .arg(path.as_str());
        let mut log = nix_log::Reader::default();
        let output = command.watched(|line| log.line(line).into_iter().for_each(&mut tell)).await;
        output.map(|_| ()).map_err(|error| log.failure(&error))
    }

    /// The platforms of a derivation and all that it needs.
    pub async fn systems_of(&self, drv: &StorePath) -> Result<BTreeSet<String>, NixError> {
        let command = self.invocation(&["derivation", "show", "--recursive", "--"]);
        let output = command.arg(drv.as_str()).output().await.map_err(failed)?;
        let json = json("nix derivation show", &output)?;
        // Nix 2.32 puts the derivations one level deeper.
        let all = json.get("derivations").unwrap_or(&json).as_object();
        let systems = all.into_iter().flat_map(|all| all.values()).map(|drv| &drv["system"]);
        Ok(systems.filter_map(|system| system.as_str().map(str::to_owned)).collect())
    }

    /// What Nix builds with on this computer.
    pub async fn settings(&self) -> Result<Settings, NixError> {
        let command =
            self.invocation(&["config", "show", "--json"]).args(build_args(&self.user_args));
        let json = json("nix config show", &command.output().await.map_err(failed)?)?;
        let value = |name: &str| &json[name]["value"];
        let extra = value("extra-platforms").as_array().into_iter().flatten();
        let systems = std::iter::once(value("system")).chain(extra);
        Ok(Settings {
            systems: systems.filter_map(|system| system.as_str().map(str::to_owned)).collect(),
            jobs: value("max-jobs").as_u64().unwrap_or(1),
            builders: value("builders").as_str().unwrap_or_default().to_owned(),
        })
    }
}

/// What Nix builds with on this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The platforms that it builds for by itself.
    pub systems: Vec<String>,
    /// How many builds run here at once; none at all with 0.
    pub jobs: u64,
    /// `builders`: lines, or `@` and the file that has them.
    pub builders: String,
}

/// Nix up to 2.18 prints a list, later ones an object by path.
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
