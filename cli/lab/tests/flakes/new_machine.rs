//! A homelab from nothing: the template of this repository, and `deploy new` in it. The result is
//! evaluated over the stand-in for nixpkgs, with all modules and their assertions.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::{Nix, programs};
use deploy_lab::systems;

/// The promise.
pub const NAME: &str = "a-new-machine-of-the-template-s-fleet-evaluates-with-its-key-and-secrets";

const INPUTS: [&str; 4] = ["nixpkgs", "agenix", "disko", "systems"];

const SCRIPT: &str = r#"
set -euo pipefail
export HOME=$PWD/home PATH=$PWD/bin:/usr/bin:/bin USER=anna
inputs=$1
overrides="--no-write-lock-file --override-input nixpkgs path:$inputs/nixpkgs --override-input deploy path:$PWD/deploy
  --override-input deploy/agenix path:$inputs/agenix --override-input deploy/disko path:$inputs/disko
  --override-input deploy/agenix/systems path:$inputs/systems"
fails() { echo "line ${BASH_LINENO[1]}: $*"; exit 1; }
says() { "${@:2}" > "$HOME/said" 2>&1 < /dev/null || { cat "$HOME/said"; exit 1; }; grep -qF -- "$1" "$HOME/said" || { cat "$HOME/said"; fails "no \`$1\`"; }; }
refuses() { code=0; "${@:3}" > "$HOME/said" 2>&1 < /dev/null || code=$?; [ $code = "$1" ] || { cat "$HOME/said"; fails "ended with $code"; }; grep -qF -- "$2" "$HOME/said" || { cat "$HOME/said"; fails "no \`$2\`"; }; }
mkdir -p home/.ssh
ssh-keygen -q -t ed25519 -N '' -C anna@mac -f home/.ssh/id_ed25519
cp -r deploy/nix/templates/homelab fleet
cd fleet
git init --quiet --initial-branch main .; git add --all
cp -r . ../before

# What is refused changes nothing.
all='--platform x86_64-linux --disk /dev/disk/by-id/ata-X --address 192.168.2.50 --service ssh'
refuses 1 'machines/home is there already' deploy new home $all
refuses 1 "a host's name has" deploy new Frame2 $all
refuses 1 'no service `postgres` is shipped' deploy new frame2 $all,postgres
refuses 2 'could not ask' deploy new frame2
refuses 2 '--admin-key' deploy new frame2 $all
refuses 1 'it is a private key' deploy new frame2 $all --admin-key ~/.ssh/id_ed25519
refuses 2 'it is a partition' deploy new frame2 --disk /dev/disk/by-id/ata-X-part1
refuses 1 'nix flake init' deploy new /tmp#frame2 $all
diff -r . ../before

# The first machine of a fleet: its admin, its key, its folder.
says 'machines/frame2 has default.nix, services.nix, disko.nix, hardware.nix' deploy new frame2 \
  --platform x86_64-linux --disk /dev/disk/by-id/ata-X --address 192.168.2.50 \
  --service alloy,caddy,gatus,grafana,homepage,loki,node-exporter,restic,ssh,tailscale,victoriametrics,vmalert \
  --domain home.example.org --admin-key ~/.ssh/id_ed25519.pub
grep -q 'anna = "ssh-ed25519 .* anna@mac";' machines/keys.nix || fails 'the key of anna'
grep -q 'frame2 = "ssh-ed25519 .*";' machines/keys.nix || fails 'the key of frame2'
git ls-files --error-unmatch machines/frame2/disko.nix secrets/frame2-host-key.age > /dev/null
is_public() { deploy secrets show "$1-host-key" > "$HOME/key" && chmod 600 "$HOME/key" && ssh-keygen -y -f "$HOME/key"; }
grep -qF "\"$(is_public frame2)\"" machines/keys.nix || fails 'the private half is of another key'
refuses 6 'none of the private keys opens it' deploy secrets show frame2-host-key -i "$HOME/key"
rm -r machines/home; git rm -rq --cached machines/home
refuses 1 'machines/frame2 is there already' deploy new frame2 $all

# Its secrets are for its key, before it is there; and a second machine's are not lost.
says 'encrypted to anna, frame2' deploy secrets new restic-password --generate -- $overrides
says 'reads 1 secrets' deploy new frame3 --platform aarch64-linux --disk /dev/sda --address frame3.lan --service restic
grep -qF '/dev/sda may be another disk after a restart' "$HOME/said" || fails 'no warning'
is_public frame3 > /dev/null
says '3 secrets are encrypted to the keys of their rules' deploy secrets check
grep -q '"frame3-host-key.age".publicKeys' secrets/secrets.nix

git add --all; git -c user.name=anna -c user.email=anna@mac commit --quiet --message fleet
value='machines: builtins.mapAttrs (_: machine: { inherit (machine.config.deploy.ssh) hostname; drv = machine.config.system.build.toplevel.drvPath; disk = machine.config.disko.devices.disk.main.device; }) machines'
nix --extra-experimental-features 'nix-command flakes' eval --json .#nixosConfigurations $overrides --apply "$value" > ../evaluated
"#;

/// Why it cannot be tried here.
pub fn missing() -> Option<String> {
    INPUTS.iter().find_map(|name| match systems::input(name) {
        Ok(folder) if folder.exists() => None,
        Ok(folder) => Some(format!("there is no {}", folder.display())),
        Err(error) => Some(format!("{error:#}")),
    })
}

/// Fails with what is otherwise.
pub fn holds() -> Result<()> {
    let folder = tempfile::Builder::new().prefix("new-").tempdir()?;
    let at = |inside: &str| folder.path().join(inside);
    fs::create_dir(at("bin"))?;
    fs::create_dir(at("deploy"))?;
    systems::copy_checkout(&at("deploy"))?;
    let programs = programs::folder()?.join("bin");
    let deploy = format!("#!/bin/sh\nexec {}/deploy \"$@\"\n", programs.display());
    fs::write(at("bin/deploy"), deploy)?;
    fs::set_permissions(at("bin/deploy"), PermissionsExt::from_mode(0o755))?;
    let inputs = systems::input("nixpkgs")?;
    let inputs = inputs.parent().context("an input is in a folder")?;
    let nix = Nix::new(folder.path())?.bind(&programs)?.bind(inputs)?;
    let inputs = inputs.display().to_string();
    let ended = nix.command(["bash", "-c", SCRIPT, "bash", &inputs])?.output()?;
    let said = String::from_utf8_lossy(&ended.stdout);
    let errors = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "{said}{errors}");
    let machines: serde_json::Value = serde_json::from_str(&fs::read_to_string(at("evaluated"))?)?;
    for (name, address, disk) in
        [("frame2", "192.168.2.50", "/dev/disk/by-id/ata-X"), ("frame3", "frame3.lan", "/dev/sda")]
    {
        let machine = &machines[name];
        ensure!(machine["hostname"] == address && machine["disk"] == disk, "{name}: {machine}");
        let drv = machine["drv"].as_str().unwrap_or_default();
        ensure!(drv.contains(&format!("nixos-system-{name}")), "{name}: {machine}");
    }
    Ok(())
}
