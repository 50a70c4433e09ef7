//! Images that are built instead of a system: the installer and a virtual machine.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::systems::{HOMELAB, HOMELAB_FOLDER, Homelab};

use super::Home;
use crate::harness::Scenario;
use crate::scene::Said;

pub const ALL: &[Scenario] = &[
    Scenario::new("an-installer-image-is-planned-and-built-and-never-deployed-to", installer)
        .unless(|| HOMELAB.missing()),
    Scenario::new("an-installer-shows-how-it-is-reached", shows),
    Scenario::new("a-virtual-machine-is-planned-and-built-as-what-starts-it", virtual_machine)
        .unless(|| HOMELAB.missing()),
];

fn installer(lab: &mut Lab) -> Result<()> {
    let home = Home::new(lab)?;
    home.has(&Homelab::default())?;
    let image = "/iso/installer-iso.iso";
    let planned = home.deploy("plan installer-iso")?;
    planned.ends(0, &[image, "to build: "])?;
    ensure!(!planned.text.contains("to build: nothing"), "it is built already");
    let said = home.deploy("build installer-iso")?;
    said.ends(0, &[])?;
    home.mac.sh(&format!("test -f {}", printed(&said, image)?))?;
    home.deploy("plan installer-iso")?.ends(0, &[image, "to build: nothing"])?;
    for command in ["installer-iso", "push installer-iso", "rollback installer-iso"] {
        let refused = ["error: installer-iso is an image, not a machine", "nothing was changed"];
        home.deploy(command)?.ends(1, &refused)?;
    }
    // The stand-in for nixpkgs makes a text, from which nothing starts.
    home.deploy("iso")?.ends(1, &["is not written", "it has no boot sector"])?;
    home.mac.sh(&format!(
        "cd {HOMELAB_FOLDER} && ! test -e installer-iso.iso && cat > /tmp/boots.nix << 'EOF' &&
{BOOTS}
EOF
        sed -i '/system.stateVersion/r /tmp/boots.nix' machines/installer-iso/default.nix"
    ))?;
    let copied = home.deploy("iso")?;
    let hash = home.mac.sh(&format!("sha256sum < {HOMELAB_FOLDER}/installer-iso.iso"))?;
    let hash = format!("SHA-256 {}", hash.split_whitespace().next().unwrap_or_default());
    copied.ends(0, &["installer-iso: installer-iso.iso (5.5 KiB)", &hash, NO_WIFI])?;
    home.deploy("iso --wifi nothing")?.ends(1, &["no rule is for `nothing`"])?;
    home.deploy("iso frame1")?.ends(1, &["frame1 is no installation image"])?;
    home.deploy("iso --out /etc/passwd")?.ends(1, &["another file is there, which is no image"])
}

/// Runs the installer's script in a network of its own, which has no address, then two, then none.
const SHOWS: &str = r#"
set -eu
ssh-keygen -q -t ed25519 -N '' -C '' -f ssh_host_ed25519_key
mount --bind . /etc/ssh
file=$PWD/issue.d/deploy.issue
sh "$1" "$file" follow &
shows() {
  for _ in $(seq 200); do
    ! grep -qF -- "$1" "$file" 2> /dev/null || return 0
    sleep 0.05
  done
  echo "never shown: $1"; cat "$file"; exit 1
}
ip link set lo up
shows 'has no address yet'
ip address add 10.99.0.7/24 dev lo
shows '    ssh root@10.99.0.7  (lo)'
shows "    deploy install NAME --host $(uname -n).local"
shows "    $(ssh-keygen -lf ssh_host_ed25519_key.pub | cut -d' ' -f2) (ED25519)"
ip -6 address add fd00::7/64 dev lo nodad
shows '    ssh root@fd00::7  (lo)'
ip address flush dev lo scope global
shows 'has no address yet'
[ "$(ls issue.d)" = deploy.issue ]
"#;

fn shows(_: &mut Lab) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../machines/installer-iso/reach.sh");
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", SHOWS, "sh"]);
    let ended = command.arg(script.canonicalize()?).current_dir(folder.path()).output()?;
    let said = [ended.stdout, ended.stderr].concat();
    ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&said));
    Ok(())
}

/// The note where the flake's rules have no secret for the installer.
const NO_WIFI: &str = "no Wi-Fi: no rule is for installer-wifi";

/// A configuration whose image has a boot sector and 5632 bytes.
const BOOTS: &str = r"
  system.build.isoImage = lib.mkForce (pkgs.runCommand ''iso'' { } ''
    mkdir -p $out/iso
    (head -c 510 /dev/zero; printf '\125\252'; head -c 5120 /dev/zero) > $out/iso/installer-iso.iso
  '');";

/// A virtual machine that does not run can be planned and built nevertheless.
fn virtual_machine(lab: &mut Lab) -> Result<()> {
    let home = Home::new(lab)?;
    home.has(&Homelab::default())?;
    // One image is for a Mac with a guest of another platform. The stubs are scripts, so this host
    // can run them.
    home.mac.sh("echo extra-platforms = aarch64-linux aarch64-darwin >> /etc/nix/nix.conf")?;
    for name in ["frame1-vm", "frame1-vm-x86"] {
        let start = format!("/bin/run-{name}-vm");
        let off = format!("{name}: only its image is planned");
        home.deploy(&format!("plan {name}"))?.ends(0, &[&start, "to build: ", &off])?;
        let said = home.deploy(&format!("build {name}"))?;
        said.ends(0, &[])?;
        home.mac.sh(&format!("test -x {}", printed(&said, &start)?))?;
    }
    Ok(())
}

/// The printed store path that has this end.
fn printed<'s>(said: &'s Said, end: &str) -> Result<&'s str> {
    let path = said.text.split_whitespace().rfind(|word| word.ends_with(end));
    let path = path.filter(|path| path.starts_with("/nix/store/"));
    ensure!(path.is_some(), "no path of {end} was printed:\n{}", said.text);
    Ok(path.unwrap_or_default())
}
