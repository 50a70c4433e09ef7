//! A flake of one real NixOS system with secrets, as a folder on the operator's computer: agenix's
//! own module, this repository's modules, and a service that reads the secrets.

use std::fs;

use anyhow::Result;

use super::files;
use super::fleet::{FOLDER, systems, write_to_host};
use super::homelab::{self, HOMELAB_FOLDER};
use super::nixpkgs;
use crate::hosts::{Host, access};

/// The folder of the inputs on a host prepared by [`super::RealFleet::write`].
const INPUT: &str = "/opt/nixpkgs-real";

/// The machine `frame1` with secrets that the service `reader` reads.
#[derive(Clone, Debug)]
pub struct AgenixFleet {
    number: u32,
    secrets: Vec<String>,
    lines: Vec<String>,
}

impl AgenixFleet {
    /// A system whose /etc/generation is `number`, with these secrets. Their rules are written, for
    /// the operator and the machine; their files are not.
    pub fn new<S: AsRef<str>>(number: u32, secrets: impl IntoIterator<Item = S>) -> Self {
        let secrets = secrets.into_iter().map(|name| name.as_ref().to_owned()).collect();
        Self { number, secrets, lines: Vec::new() }
    }

    /// Adds a definition as Nix text that ends with `;`.
    pub fn line(mut self, definition: &str) -> Self {
        self.lines.push(definition.to_owned());
        self
    }

    /// Writes the flake to [`FOLDER`] on `operator` and commits it, with the encrypted files that
    /// are there. Both hosts must be on.
    ///
    /// # Errors
    /// When a folder cannot be written, git fails, or the inputs are missing.
    pub fn write(&self, operator: &Host, frame1: &Host) -> Result<()> {
        let agent = operator.root().join(INPUT.trim_start_matches('/')).join("lab/deploy-agent");
        // Once is enough: the checkout and the inputs do not change during a test.
        if !agent.exists() {
            homelab::write_checkout(operator)?;
            homelab::inputs(operator)?;
            nixpkgs::copy_with_agent(operator, "nixpkgs-real", INPUT)?;
            nixpkgs::build_as_root(operator)?;
            operator.sh(&format!("rm -f {FOLDER}/flake.lock"))?;
        }
        write_to_host(operator, self.files(operator, frame1)?)
    }

    fn files(&self, operator: &Host, frame1: &Host) -> Result<Vec<(String, String, u32)>> {
        let shadow = operator.read("/etc/shadow")?;
        let askadmin = shadow.lines().find_map(|line| line.strip_prefix("askadmin:"));
        let password = askadmin.and_then(|rest| rest.split(':').next()).unwrap_or("*");
        let mut all = systems();
        for (path, text) in files::AGENIX {
            let text = text
                .replace("@nixpkgs@", INPUT)
                .replace("@flake@", HOMELAB_FOLDER)
                .replace("@askadmin@", password);
            all.push(((*path).to_owned(), text, 0o644));
        }
        let quoted: Vec<String> = self.secrets.iter().map(|name| format!("\"{name}\"")).collect();
        let rule = |name: &String| {
            format!("  \"{name}.age\".publicKeys = [ keys.operator keys.frame1 ];\n")
        };
        let rules: String = self.secrets.iter().map(rule).collect();
        all.extend([
            ("machines/frame1.nix".to_owned(), self.module(), 0o644),
            ("names.nix".into(), format!("[ {} ]\n", quoted.join(" ")), 0o644),
            ("secrets/secrets.nix".into(), rules_of(&rules), 0o644),
            ("key".into(), access::operator_key(operator)?, 0o644),
        ]);
        // A test may have put another key there.
        if !fs::exists(operator.root().join(&FOLDER[1..]).join("keys.nix"))? {
            let (mine, its) = (access::operator_key(operator)?, access::host_key(frame1)?);
            let (mine, its) = (mine.trim(), its.trim());
            let keys = format!("{{\n  operator = \"{mine}\";\n  frame1 = \"{its}\";\n}}\n");
            all.push(("keys.nix".into(), keys, 0o644));
        }
        Ok(all)
    }

    fn module(&self) -> String {
        let number = self.number;
        let lines = self.lines.join("\n  ");
        format!(
            "{{ config, lib, pkgs, ... }}:\n{{\n  \
             environment.etc.generation.text = \"{number}\\n\";\n  {lines}\n}}\n"
        )
    }
}

fn rules_of(rules: &str) -> String {
    format!("let\n  keys = import ../keys.nix;\nin\n{{\n{rules}}}\n")
}
