//! What a build made: the NixOS system in a deploy-rs profile, and the activation of other
//! profiles. The profile `system` is a folder of links with an activation script. That script must
//! be the stock one, because `deploy` would silently skip anything else in it.

use std::path::Path;

use deploy_wire::{machine::Profile, store_path::StorePath};

use crate::stages::ask::MARKER;
use crate::{
    error::{Failure, Result},
    tools::{place::Place, shell},
};

/// The system in `out`, which is in the local store.
pub fn system_here(name: &str, out: &StorePath) -> Result<StorePath> {
    let folder = Path::new(out.as_str());
    let marker = folder.join(MARKER).canonicalize();
    let marker = marker.map(|path| path.display().to_string()).unwrap_or_default();
    let script = std::fs::read_to_string(folder.join("deploy-rs-activate")).ok();
    judge(name, out, &marker, script.as_deref())
}

/// The system in `out`, which is in the store at `place`.
pub async fn system_at(place: &Place, name: &str, out: &StorePath) -> Result<StorePath> {
    let quoted = shell::quote(out.as_str());
    let script =
        format!("readlink -f {quoted}/{MARKER}; cat {quoted}/deploy-rs-activate 2>/dev/null; :");
    let text = place.run(&script, "").await.map_err(|error| {
        Failure::unchanged(format!("cannot read what {name} built")).because(error)
    })?;
    let (marker, script) = text.split_once('\n').unwrap_or((&text, ""));
    judge(name, out, marker, Some(script).filter(|script| !script.is_empty()))
}

fn judge(name: &str, out: &StorePath, marker: &str, script: Option<&str>) -> Result<StorePath> {
    if let Some(script) = script.filter(|script| !is_stock(script)) {
        let odd = script.lines().find(|line| !is_stock_line(line)).unwrap_or_default().trim();
        return Err(Failure::unchanged(format!("profile `system` of {name} cannot be deployed"))
            .because(format!("its activation script is not the stock `activate.nixos`: `{odd}`"))
            .hint(Some("move what it does into the NixOS configuration".into())));
    }
    StorePath::containing(marker).map_err(|_| {
        Failure::unchanged(format!("the build for {name} is not a NixOS system"))
            .because(format!("{out} has no {MARKER}"))
            .hint(Some("is it `config.system.build.toplevel`? system.switch.enable = false also leaves it out".into()))
    })
}

/// Checks another profile's output, which is in the local store.
pub fn other_here(name: &str, profile: &Profile, out: &StorePath) -> Result<()> {
    let script = std::fs::read_to_string(Path::new(out.as_str()).join("deploy-rs-activate"));
    judge_other(name, profile, out, script.ok().as_deref())
}

/// Checks another profile's output, which is in the store at `place`.
pub async fn other_at(place: &Place, name: &str, profile: &Profile, out: &StorePath) -> Result<()> {
    let script = format!("cat {}/deploy-rs-activate 2>/dev/null; :", shell::quote(out.as_str()));
    let text = place.run(&script, "").await.map_err(|error| {
        Failure::unchanged(format!("cannot read what {name} built")).because(error)
    })?;
    judge_other(name, profile, out, Some(text.as_str()).filter(|text| !text.is_empty()))
}

/// Refuses a NixOS system with another profile path, such as a container's. Its stock script would
/// make it the machine's own system: refusal
/// `build/a-system-in-another-profile-is-refused-by-its-line`.
fn judge_other(name: &str, profile: &Profile, out: &StorePath, script: Option<&str>) -> Result<()> {
    let what = format!("{profile} on {name} cannot be deployed");
    let Some(script) = script else {
        return Err(Failure::unchanged(what)
            .because(format!("{out} has no deploy-rs-activate"))
            .hint(Some("deploy-rs.lib.SYSTEM.activate.custom BASE SCRIPT makes one".into())));
    };
    match script.lines().find(|line| is_switch(line.trim())) {
        None => Ok(()),
        Some(line) => Err(Failure::unchanged(what)
            .because(format!("its activation switches the machine's own system: `{}`", line.trim()))
            .hint(Some(format!(
                "the machine's system is deploy.nodes.{name}.profiles.system; a container's is \
                 activated by a script of its own, or as `containers.NAME` of the machine"
            )))),
    }
}

/// Whether a `deploy-rs-activate` script does only what deploy-rs's `activate.nixos` does.
fn is_stock(script: &str) -> bool {
    script.lines().all(is_stock_line)
}

fn is_stock_line(line: &str) -> bool {
    let line = line.trim();
    // A dry run of another profile than NixOS's only prints its path.
    let is_named = line.strip_prefix("echo ").is_some_and(|path| StorePath::parse(path).is_ok());
    let is_sed =
        line.starts_with("sed -i '/^default /d' ") && line.ends_with("/loader/loader.conf");
    line.is_empty()
        || line.starts_with('#')
        || line == "cd /tmp"
        || is_switch(line)
        || is_sed
        || is_named
        || is_frame(line)
}

/// Whether a line switches to the NixOS system in the profile.
fn is_switch(line: &str) -> bool {
    line.strip_prefix("$PROFILE/bin/switch-to-configuration ")
        .or_else(|| line.strip_prefix("\"$PROFILE\"/bin/switch-to-configuration "))
        .is_some_and(|verb| {
            matches!(verb.trim_end_matches(';'), "switch" | "boot" | "dry-activate")
        })
}

/// Whether a line belongs to the wrapper that deploy-rs puts around every script. It chooses
/// between a dry run, boot and a switch.
fn is_frame(line: &str) -> bool {
    let test = |line: &str| {
        let line = line.trim_start_matches("el").trim_start_matches("if ");
        line.starts_with("[[ \"${DRY_ACTIVATE") || line.starts_with("[[ \"${BOOT")
    };
    matches!(line, "set -e" | "set -euo pipefail" | "then" | "else" | "fi" | "if" | "elif")
        || test(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stock_script_of_deploy_rs_is_known() {
        let stock = "#!/nix/store/x-bash/bin/bash\nset -euo pipefail\n\
            if [[ \"${DRY_ACTIVATE:-}\" == \"1\" ]]\nthen\n    $PROFILE/bin/switch-to-configuration dry-activate\n\
            elif [[ \"${BOOT:-}\" == \"1\" ]]\nthen\n    $PROFILE/bin/switch-to-configuration boot\n\
            else\n    # work around https://github.com/NixOS/nixpkgs/issues/73404\n    cd /tmp\n\n\
            $PROFILE/bin/switch-to-configuration switch\n\n\
            sed -i '/^default /d' /boot/loader/loader.conf\nfi\n";
        assert!(is_stock(stock));
        assert!(!is_stock(&stock.replace("cd /tmp", "systemctl restart nginx")));
        assert!(!is_stock(&stock.replace("switch\n", "switch; rm -rf /\n")));
    }
}
