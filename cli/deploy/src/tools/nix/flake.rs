//! Nix's commands about a flake: its reference, its evaluation, its checks and its settings.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Nix, NixError, arguments::evaluation_args, failed, json};
use crate::tools::{colours::plain, nix::warnings::Warnings};

/// The output of `nix flake metadata`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The locked flake reference, as attributes.
    pub locked: Value,
    /// The locks of the inputs.
    pub locks: Value,
    /// The locked URL of the flake.
    pub url: String,
    /// The URL that the user's reference resolves to, such as `git+file:///…`.
    pub resolved_url: String,
    /// The tree in the local store, if Nix copied it.
    pub tree: Option<PathBuf>,
}

impl Metadata {
    /// Whether the reference always means the same tree with the same inputs.
    pub fn is_clean(&self) -> bool {
        is_locked(&self.locked) && self.has_locked_inputs()
    }

    /// Whether this is a tree with uncommitted changes whose contents are known: Nix copied them to
    /// the store, where the path names them. The reference may mean others by now.
    pub fn is_known(&self) -> bool {
        let has = |name: &str| self.locked.get(name).is_some();
        // Git's index says which files a tree has, and that of a submodule is elsewhere.
        let is_whole = self.locked["submodules"] != true && self.locked["lfs"] != true;
        self.locked["type"] == "git"
            && has("dirtyRev")
            && has("narHash")
            && is_whole
            && self.tree.is_some()
            && self.has_locked_inputs()
    }

    fn has_locked_inputs(&self) -> bool {
        let nodes = self.locks["nodes"].as_object().into_iter().flat_map(|nodes| nodes.values());
        nodes.filter(|node| is_fetched(node)).all(|node| is_locked(&node["locked"]))
    }

    /// The flake's file in the local store.
    fn file(&self) -> Option<PathBuf> {
        let folder = self.locked["dir"].as_str().unwrap_or_default();
        Some(self.tree.as_ref()?.join(folder).join("flake.nix"))
    }
}

/// Whether a lock pins one tree. A folder with uncommitted changes, for example from
/// `--override-input`, is not pinned.
fn is_locked(locked: &Value) -> bool {
    locked.get("narHash").is_some() && locked.get("dirtyRev").is_none()
}

/// Whether a node of the lock file is fetched separately. The root is not, nor is a folder of the
/// flake that uses it as an input.
fn is_fetched(node: &Value) -> bool {
    node.get("locked").is_some() && node.get("parent").is_none()
}

/// The result of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// The value.
    pub value: Value,
    /// The warnings and traces of the configuration, each once.
    pub warnings: Vec<String>,
}

impl Nix {
    /// Resolves the flake's reference.
    pub async fn metadata(&self, flake: &str) -> Result<Metadata, NixError> {
        let command = self
            .invocation(&["flake", "metadata", "--json", "--no-write-lock-file", "--show-trace"])
            .args(evaluation_args(&self.user_args))
            .args(["--", flake]);
        let json = json("nix flake metadata", &command.output().await.map_err(failed)?)?;
        let text = |field: &str| json[field].as_str().unwrap_or_default().to_owned();
        Ok(Metadata {
            url: text("url"),
            resolved_url: text("resolvedUrl"),
            locked: json["locked"].clone(),
            locks: json["locks"].clone(),
            tree: json["path"].as_str().map(PathBuf::from),
        })
    }

    /// Evaluates a function of all the flake's outputs. `builds` is called for each derivation that
    /// Nix builds for it.
    pub async fn eval(
        &self,
        flake: &str,
        function: &str,
        mut builds: impl FnMut(&str),
    ) -> Result<Evaluated, NixError> {
        // Nix prints what it builds only with `-v`.
        let command = self
            .invocation(&["eval", "--json", "--no-write-lock-file", "--show-trace", "-v"])
            .args(["--apply", function])
            .args(evaluation_args(&self.user_args))
            .args(["--".to_owned(), format!("{flake}#.")]);
        let mut warnings = Warnings::default();
        let output = command.watched(|line| {
            if let Some(drv) = built(&plain(line)) {
                builds(drv);
            }
            warnings.line(line);
        });
        let output = output.await.map_err(failed)?;
        Ok(Evaluated { value: json("nix eval", &output)?, warnings: warnings.all() })
    }

    /// Runs the flake's own checks.
    pub async fn check(&self, flake: &str, mut tell: impl FnMut(&str)) -> Result<(), NixError> {
        let command = self
            .invocation(&["flake", "check"])
            .args(evaluation_args(&self.user_args))
            .args(["--", flake]);
        command.watched(|line| tell(line)).await.map(|_| ()).map_err(failed)
    }

    /// The flake's `nixConfig`: an object, or null if it has none. Nix does not apply it to builds
    /// by derivation.
    pub async fn flake_config(&self, metadata: &Metadata) -> Result<Value, NixError> {
        let Some(file) = metadata.file().filter(|file| mentions_config(file)) else {
            return Ok(Value::Null);
        };
        let command = self
            .invocation(&["eval", "--json", "--file"])
            .arg(file)
            .args(["--apply", "flake: flake.nixConfig or null"]);
        json("nix eval", &command.output().await.map_err(failed)?)
    }
}

/// The derivation that a line of Nix reports as being built, locally or on a builder.
fn built(line: &str) -> Option<&str> {
    let (drv, _) = line.strip_prefix("building '")?.split_once('\'')?;
    drv.ends_with(".drv").then_some(drv)
}

/// Whether the file mentions `nixConfig`. Most flakes do not, and then Nix need not be asked.
fn mentions_config(file: &Path) -> bool {
    std::fs::read_to_string(file).is_ok_and(|text| text.contains("nixConfig"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(locked: Value, input: Value) -> Metadata {
        Metadata {
            locked,
            locks: json!({ "nodes": { "root": { "inputs": {} }, "nixpkgs": input }}),
            url: String::new(),
            resolved_url: String::new(),
            tree: None,
        }
    }

    #[test]
    fn only_a_tree_whose_inputs_are_all_locked_is_the_same_each_time() {
        let locked = json!({ "narHash": "x" });
        for (tree, input, clean) in [
            (locked.clone(), json!({ "locked": locked }), true),
            (json!({ "narHash": "x", "dirtyRev": "y" }), json!({ "locked": locked }), false),
            (json!({ "type": "path" }), json!({ "locked": locked }), false),
            (locked.clone(), json!({ "locked": { "type": "git", "dirtyRev": "y" } }), false),
            (locked.clone(), json!({ "locked": { "narHash": "x", "dirtyRev": "y" } }), false),
            (locked.clone(), json!({ "locked": { "type": "git", "url": "file:///x" } }), false),
            // A folder of the same tree.
            (locked, json!({ "locked": { "path": "./sub" }, "parent": [] }), true),
        ] {
            assert_eq!(metadata(tree.clone(), input.clone()).is_clean(), clean, "{tree} {input}");
        }
    }

    #[test]
    fn what_an_evaluation_builds_is_named_wherever_it_is_built() {
        for (line, drv) in [
            ("building '/nix/store/x-a.drv'...", Some("/nix/store/x-a.drv")),
            ("building '/nix/store/x-a.drv' on 'ssh://b'...", Some("/nix/store/x-a.drv")),
            ("building 'the house'...", None),
            ("trace: building '/nix/store/x-a.drv'", None),
        ] {
            assert_eq!(built(line), drv, "{line}");
        }
    }
}
