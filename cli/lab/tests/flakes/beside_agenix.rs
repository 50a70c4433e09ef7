//! `deploy secrets` beside agenix's own script, the one that the flake locks: each goes on with the
//! other's files, under Nix and `age`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use deploy_lab::hosts::{Nix, programs};
use deploy_lab::systems;

/// The promise.
pub const NAME: &str = "agenix-s-own-script-and-deploy-secrets-go-on-with-each-other-s-files";

/// What the package puts in for its placeholders.
const PROGRAMS: [(&str, &str); 6] = [
    ("@ageBin@", "age"),
    ("@nixInstantiate@", "nix-instantiate"),
    ("@jqBin@", "jq"),
    ("@mktempBin@", "mktemp"),
    ("@diffBin@", "diff"),
    ("@version@", "locked"),
];

const SCRIPT: &str = r#"
set -euo pipefail
export HOME=$PWD/home PATH=$PWD/bin:/usr/bin:/bin
mkdir -p home/.ssh
is() { [ "$1" = "$2" ] || { echo "line ${BASH_LINENO[0]}: it is \`$1\`, not \`$2\`"; exit 1; }; }
quietly() { "$@" > said 2>&1 || { cat said; exit 1; }; }
ssh-keygen -q -t ed25519 -N '' -C '' -f other
for kind in ed25519 rsa; do for armor in false true; do
  rm -rf repo home/.ssh/id_*; mkdir -p repo/.git repo/secrets; cd repo/secrets
  ssh-keygen -q -t $kind -N '' -C '' -f ~/.ssh/id_$kind
  mine=$(cut -d' ' -f1,2 ~/.ssh/id_$kind.pub) other=$(cut -d' ' -f1,2 ../../other.pub)
  rules() {
    echo "{ \"a.age\" = { publicKeys = [ $1 ]; armor = $armor; }; \"web/b.age\".publicKeys = [ $1 ]; }" > secrets.nix
  }
  rules "\"$mine\""

  # -e and -d: made by one, read and changed by the other.
  printf 'ours\n' | quietly deploy secrets new a
  is "$(agenix -d a.age)" ours
  printf 'theirs\n' | quietly agenix -e a.age
  is "$(deploy secrets show a)" theirs
  printf 'b of theirs' | quietly agenix -e web/b.age
  quietly deploy secrets check
  printf 'b of ours' | quietly deploy secrets edit web/b
  is "$(agenix -d web/b.age)" 'b of ours'
  begin=$(head -c 10 a.age | tr -d '\0'); is "$begin" "$([ $armor = true ] && echo '-----BEGIN' || echo age-encryp)"

  # -r: rekeyed by theirs, then by ours; -i: read with the key that is new.
  rules "\"$mine\" \"$other\""
  code=0; deploy secrets check > /dev/null 2>&1 || code=$?; is $code 1
  quietly agenix -r
  quietly deploy secrets check
  is "$(deploy secrets show a -i ../../other)" theirs
  rules "\"$other\""
  quietly deploy secrets rekey
  is "$(agenix -d a.age -i ../../other)" theirs
  is "$(agenix -i ../../other -d web/b.age)" 'b of ours'
  code=0; agenix -d a.age > /dev/null 2>&1 || code=$?; is $code 1
  rules "\"$mine\""
  quietly agenix -r -i ../../other
  quietly deploy secrets check
  is "$(deploy secrets show web/b)" 'b of ours'

  # RULES
  mv secrets.nix others.nix; cd ..
  is "$(RULES=secrets/others.nix deploy secrets show a)" theirs
  cd secrets; is "$(RULES=./others.nix agenix -d a.age)" theirs
  cd ../..
done; done
echo held
"#;

/// Why it cannot be tried here.
pub fn missing() -> Option<String> {
    let script = locked().ok()?;
    (!script.exists()).then(|| format!("there is no {}", script.display()))
}

fn locked() -> Result<PathBuf> {
    Ok(systems::input("agenix")?.join("pkgs/agenix.sh"))
}

/// Fails with what one says of the other's files.
pub fn holds() -> Result<()> {
    let folder = tempfile::Builder::new().prefix("agenix-").tempdir()?;
    let bin = folder.path().join("bin");
    fs::create_dir(&bin)?;
    let programs = programs::folder()?.join("bin");
    let deploy = format!("#!/bin/sh\nexec {}/deploy \"$@\"\n", programs.display());
    let text = fs::read_to_string(locked()?)?;
    let agenix = PROGRAMS.iter().fold(text, |text, (place, with)| text.replace(place, with));
    for (name, text) in [("deploy", deploy), ("agenix", agenix)] {
        fs::write(bin.join(name), text)?;
        fs::set_permissions(bin.join(name), PermissionsExt::from_mode(0o755))?;
    }
    let nix = Nix::new(folder.path())?.bind(&programs)?;
    let ended = nix.command(["bash", "-c", SCRIPT])?.output()?;
    let said = String::from_utf8_lossy(&ended.stdout);
    let errors = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success() && said.ends_with("held\n"), "{said}{errors}");
    Ok(())
}
