//! From a derivation to a closure: here, through Nix's builders, or on the
//! machine itself.

use std::path::Path;

use deploy_wire::{
    machine::{BuildPlace, Machine},
    store_path::StorePath,
};

use super::ask::{MARKER, Probed};
use crate::{
    error::{Failure, Result},
    report::{Event, Report, Stage},
    tools::{
        nix::{Nix, NixError},
        place::Place,
        shell,
    },
};

/// Where a closure is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// In the store of this computer.
    Here,
    /// In the machine's store already.
    OnTarget,
}

/// A closure that is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The NixOS system itself.
    pub toplevel: StorePath,
    /// What was built: the toplevel, or a deploy-rs profile around it.
    pub out: StorePath,
    /// Where it is.
    pub place: Where,
}

/// Builds the wanted system of a machine.
pub async fn build(nix: &Nix, probed: &Probed, report: &Report) -> Result<Built> {
    let machine = &probed.machine;
    report.tell(Event::Stage { machine: machine.name.clone(), stage: Stage::Build });
    let place = choose(nix, probed).await;
    let builders = match &place {
        BuildPlace::Host(host) => on_host(host, machine),
        BuildPlace::Local | BuildPlace::Target => Vec::new(),
    };
    let store = match (&place, probed.place.login()) {
        (BuildPlace::Target, Some(_)) => Some(probed.store()?),
        _ => None,
    };
    let tell = |progress| report.tell(Event::Build { machine: machine.name.clone(), progress });
    let out = nix
        .build(&machine.toplevel.drv, store.as_ref(), &builders, tell)
        .await
        .map_err(|error| failed(&machine.name, machine.system.as_str(), error))?;
    let on_target = store.is_some() || matches!(probed.place, Place::Here);
    let toplevel = toplevel(probed, &out, on_target).await?;
    Ok(Built { toplevel, out, place: if on_target { Where::OnTarget } else { Where::Here } })
}

/// Builds without any machine: what comes out is in the store here.
pub async fn here(nix: &Nix, machine: &Machine, report: &Report) -> Result<StorePath> {
    report.tell(Event::Stage { machine: machine.name.clone(), stage: Stage::Build });
    let tell = |progress| report.tell(Event::Build { machine: machine.name.clone(), progress });
    let builders = match &machine.build.place {
        BuildPlace::Host(host) => on_host(host, machine),
        BuildPlace::Local | BuildPlace::Target => Vec::new(),
    };
    nix.build(&machine.toplevel.drv, None, &builders, tell)
        .await
        .map_err(|error| failed(&machine.name, machine.system.as_str(), error))
}

/// What a build has to do, by name.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What has to be built.
    pub build: Vec<String>,
    /// What can be fetched.
    pub fetch: Vec<String>,
}

/// What a build would do. Builds nothing.
pub async fn missing(nix: &Nix, machine: &Machine) -> Result<Missing> {
    let said = nix.dry_run(&machine.toplevel.drv).await.map_err(|error| {
        Failure::unchanged(format!("what is to be built for {} cannot be told", machine.name))
            .because(error)
    })?;
    Ok(read_dry_run(&said))
}

/// Reads "these N derivations will be built:" and "these N paths will be
/// fetched (…):", each followed by indented paths.
fn read_dry_run(said: &str) -> Missing {
    let mut missing = Missing::default();
    let mut into: Option<&mut Vec<String>> = None;
    for line in said.lines() {
        match line.strip_prefix("  ").map(StorePath::parse) {
            Some(Ok(path)) => {
                if let Some(names) = into.as_mut() {
                    names.push(path.name().trim_end_matches(".drv").to_owned());
                }
            }
            _ if line.contains("will be built") => into = Some(&mut missing.build),
            _ if line.contains("will be fetched") => into = Some(&mut missing.fetch),
            _ => into = None,
        }
    }
    missing
}

/// Nix's arguments that make one host build everything.
fn on_host(host: &str, machine: &Machine) -> Vec<String> {
    let uri = if host.contains("://") { host.to_owned() } else { format!("ssh-ng://{host}") };
    vec!["--builders".into(), format!("{uri} {}", machine.system), "--max-jobs".into(), "0".into()]
}

/// When a builder that Nix would use is the machine itself, building through it
/// would bring the closure here and back.
async fn choose(nix: &Nix, probed: &Probed) -> BuildPlace {
    let machine = &probed.machine;
    let is_machine = |host: &str| {
        let host = host.rsplit("://").next().unwrap_or(host);
        let host = host.rsplit('@').next().unwrap_or(host);
        let host = host.split(['?', '/']).next().unwrap_or(host);
        host == machine.ssh.hostname || machine.ssh.addresses.iter().any(|each| each == host)
    };
    match &machine.build.place {
        BuildPlace::Local => {
            let builders = builders(nix).await;
            let mine = builders.iter().any(|(host, systems)| {
                is_machine(host)
                    && systems.split(',').any(|system| system == machine.system.as_str())
            });
            if mine && !builds_here(machine.system.as_str()) {
                BuildPlace::Target
            } else {
                BuildPlace::Local
            }
        }
        BuildPlace::Host(host) if is_machine(host) => BuildPlace::Target,
        other => other.clone(),
    }
}

fn builds_here(system: &str) -> bool {
    system == format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

/// Nix's builders as host and systems. Settings that cannot be read leave the
/// choice to Nix.
async fn builders(nix: &Nix) -> Vec<(String, String)> {
    let setting = nix.setting("builders").await.unwrap_or_default();
    let text = match setting.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(Path::new(file)).unwrap_or_default(),
        None => setting,
    };
    text.split(['\n', ';'])
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let host = words.next().filter(|host| !host.starts_with('#'))?;
            Some((host.to_owned(), words.next().unwrap_or("-").to_owned()))
        })
        .collect()
}

/// The NixOS system in what was built. A deploy-rs profile is a folder of links
/// around one, with a script that must be the stock one: anything else it does
/// would be left out silently.
async fn toplevel(probed: &Probed, out: &StorePath, on_target: bool) -> Result<StorePath> {
    let name = &probed.machine.name;
    let (marker, script) = if on_target {
        let out = shell::quote(out.as_str());
        let text = probed
            .place
            .run(
                &format!("readlink -f {out}/{MARKER}; cat {out}/deploy-rs-activate 2>/dev/null; :"),
                "",
            )
            .await
            .map_err(|error| {
                Failure::unchanged(format!("{name} does not show what it built")).because(error)
            })?;
        let (marker, script) = text.split_once('\n').unwrap_or((&text, ""));
        (marker.to_owned(), (!script.is_empty()).then(|| script.to_owned()))
    } else {
        let marker = Path::new(out.as_str()).join(MARKER).canonicalize();
        let script =
            std::fs::read_to_string(Path::new(out.as_str()).join("deploy-rs-activate")).ok();
        (marker.map(|path| path.display().to_string()).unwrap_or_default(), script)
    };
    if let Some(script) = script.filter(|script| !is_stock(script)) {
        let odd = script.lines().find(|line| !is_stock_line(line)).unwrap_or_default().trim();
        return Err(Failure::unchanged(format!("profile `system` of {name} cannot be deployed"))
            .because(format!("its activation script is not the stock `activate.nixos`: `{odd}`"))
            .hint(Some("move what it does into the NixOS configuration".into())));
    }
    StorePath::containing(&marker).map_err(|_| {
        Failure::unchanged(format!("what was built for {name} is no NixOS system"))
            .because(format!("{out} has no {MARKER}"))
            .hint(Some("is it `config.system.build.toplevel`? system.switch.enable = false also leaves it out".into()))
    })
}

/// Whether a `deploy-rs-activate` does nothing but deploy-rs's `activate.nixos`.
fn is_stock(script: &str) -> bool {
    script.lines().all(is_stock_line)
}

fn is_stock_line(line: &str) -> bool {
    let line = line.trim();
    let switch = |line: &str| {
        line.strip_prefix("$PROFILE/bin/switch-to-configuration ")
            .or_else(|| line.strip_prefix("\"$PROFILE\"/bin/switch-to-configuration "))
            .is_some_and(|verb| {
                matches!(verb.trim_end_matches(';'), "switch" | "boot" | "dry-activate")
            })
    };
    let is_sed =
        line.starts_with("sed -i '/^default /d' ") && line.ends_with("/loader/loader.conf");
    line.is_empty()
        || line.starts_with('#')
        || line == "cd /tmp"
        || switch(line)
        || is_sed
        || is_frame(line)
}

/// The lines that deploy-rs puts around every script: choosing between a dry
/// run, boot and the real thing.
fn is_frame(line: &str) -> bool {
    let test = |line: &str| {
        let line = line.trim_start_matches("el").trim_start_matches("if ");
        line.starts_with("[[ \"${DRY_ACTIVATE") || line.starts_with("[[ \"${BOOT")
    };
    matches!(line, "set -e" | "set -euo pipefail" | "then" | "else" | "fi" | "if" | "elif")
        || test(line)
}

fn failed(name: &str, system: &str, error: NixError) -> Box<Failure> {
    let text = error.to_string();
    // Nix: "a 'aarch64-linux' with features {} is required to build …".
    let no_builder =
        text.contains("is required to build") || text.contains("required system or feature");
    let hint = no_builder.then(|| {
        format!(
            "nothing here can build for {system}: name a builder (--builders 'ssh-ng://HOST {system}' \
             behind --, or /etc/nix/machines), build on the machine (--build-on target), or let this \
             computer emulate it (boot.binfmt.emulatedSystems, extra-platforms)"
        )
    });
    Failure::unchanged(format!("the system for {name} cannot be built")).because(text).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_run_is_read() {
        let path = "/nix/store/11111111111111111111111111111111";
        let said = format!(
            "warning: x\nthis derivation will be built:\n  {path}-a.drv\n\
             these 2 paths will be fetched (1.0 MiB download, 2.0 MiB unpacked):\n  {path}-b\n  {path}-c\n"
        );
        let missing = read_dry_run(&said);
        assert_eq!(missing.build, ["a"]);
        assert_eq!(missing.fetch, ["b", "c"]);
    }

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
