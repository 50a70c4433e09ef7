//! `lib.fleet { machines = ./machines; … }` in a flake: in which folder its machines are.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rnix::{
    Root,
    ast::{Apply, Attr, AttrSet, Entry, Expr, HasEntry},
};
use rowan::ast::AstNode;

use crate::error::{Failure, Result};

/// Where a flake has the parts of a fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetCall {
    /// The flake's folder.
    pub flake: PathBuf,
    /// The folder with a folder for each machine.
    pub machines: PathBuf,
    /// The library that the function is in, as `inputs.deploy.lib`.
    pub library: String,
}

impl FleetCall {
    /// Reads a flake's `flake.nix`. Nix is not asked: a path that is computed is not found.
    pub fn find(flake: &Path) -> Result<Self> {
        let file = flake.join("flake.nix");
        let refused = || Failure::unchanged(format!("{} is no fleet", flake.display()));
        let text = fs::read_to_string(&file).map_err(|error| {
            refused()
                .because(format!("{}: {error}", file.display()))
                .hint(Some("in an empty folder: nix flake init -t github:kaiferdev/deploy".into()))
        })?;
        let Some((library, machines)) = call(&text) else {
            return Err(refused()
                .because(format!(
                    "{} has no `lib.fleet {{ machines = ./FOLDER; … }}`",
                    file.display()
                ))
                .hint(Some(
                    "docs/OVERVIEW.md shows one; a machine of another flake is written by hand"
                        .into(),
                )));
        };
        let machines = flake.join(machines.trim_start_matches("./"));
        if !machines.is_dir() {
            return Err(refused().because(format!("{} is no folder", machines.display())));
        }
        Ok(Self { flake: flake.to_owned(), machines, library })
    }

    /// A file or folder as the user would name it.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.flake).unwrap_or(path).display().to_string()
    }
}

/// The library and the path of the first call of `fleet` that names its machines.
fn call(text: &str) -> Option<(String, String)> {
    let root = Root::parse(text).tree();
    root.syntax().descendants().filter_map(Apply::cast).find_map(|apply| {
        let function = apply.lambda()?.syntax().text().to_string();
        let library = function.trim().strip_suffix("fleet")?.strip_suffix('.')?.trim_end();
        let Expr::AttrSet(arguments) = apply.argument()? else { return None };
        Some((library.to_owned(), path(&arguments, "machines")?))
    })
}

fn path(set: &AttrSet, wanted: &str) -> Option<String> {
    set.entries().find_map(|entry| {
        let Entry::AttrpathValue(entry) = entry else { return None };
        let path = entry.attrpath()?;
        let mut names = path.attrs();
        let (Some(Attr::Ident(name)), None) = (names.next(), names.next()) else { return None };
        let Expr::PathRel(value) = entry.value()? else { return None };
        (name.syntax().text() == wanted).then(|| value.syntax().text().to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_of_a_fleet_are_found_however_it_is_called() {
        for (text, library) in [
            (include_str!("../../../../nix/templates/homelab/flake.nix"), "inputs.deploy.lib"),
            (
                "{ outputs = { self, d, ... }: { inherit (d.lib.fleet { inherit self; machines = \
                 ./machines; }) deploy; }; }",
                "d.lib",
            ),
        ] {
            assert_eq!(call(text), Some((library.into(), "./machines".into())), "{text}");
        }
        for text in [
            "{ outputs = _: { }; }",
            "{ outputs = _: lib.fleet { machines = here; }; }",
            "{ outputs = _: lib.fleets { machines = ./machines; }; }",
            "{ outputs = i: i.deploy.lib.fleet (i // { }); }",
            "no { nix",
        ] {
            assert_eq!(call(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_fleet_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let flake = folder.path();
        let refused = FleetCall::find(flake).unwrap_err().to_string();
        assert!(refused.contains("nix flake init"), "{refused}");
        fs::write(flake.join("flake.nix"), "{ outputs = _: { }; }").unwrap();
        let refused = FleetCall::find(flake).unwrap_err().to_string();
        assert!(refused.contains("has no `lib.fleet"), "{refused}");
        fs::write(flake.join("flake.nix"), "i.lib.fleet { machines = ./m; }").unwrap();
        let refused = FleetCall::find(flake).unwrap_err().to_string();
        assert!(refused.contains("m is no folder"), "{refused}");
        fs::create_dir(flake.join("m")).unwrap();
        let found = FleetCall::find(flake).unwrap();
        assert_eq!(found.shown(&found.machines.join("frame2")), "m/frame2");
    }
}
