//! A shape's file, and how it is tried.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use deploy_lab::hosts::{Nix, programs};
use serde::Deserialize;
use serde_json::Value;

/// What every flake may import, as `./fake.nix`.
const FAKE: &str = include_str!("fake.nix");

/// In the login's place: says who was to be logged in to, and that nobody is there.
const SSH: &str = r#"#!/bin/sh
user= port= host=
while [ $# -gt 0 ]; do
  case $1 in
    -l) user=$2@; shift ;;
    -p) port=:$2; shift ;;
    -o) shift ;;
    --) host=$2; break ;;
  esac
  shift
done
echo "asked for $user$host$port" >&2
exit 255
"#;

/// What opens a run, in the flake's folder.
const BEGIN: &str = r#"
set -eu
export HOME=$PWD/home PATH=$PWD/bin:/usr/bin:/bin USER=anna
mkdir -p home
cd flake
git() { command git -c user.name=anna -c user.email=anna@mac -c protocol.file.allow=always "$@"; }
commit() { git add --all; git commit --quiet --message change; }
git init --quiet --initial-branch main .
commit
"#;

/// One shape.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The file's name without its ending.
    pub name: String,
    text: Text,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    /// `flake.nix`.
    flake: String,
    /// More files, by their path.
    #[serde(default)]
    files: BTreeMap<String, String>,
    run: Vec<Run>,
}

/// One command line and what comes of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    /// Shell before it, in the flake's folder.
    #[serde(default)]
    before: String,
    command: String,
    /// Lines that are printed, in any order, or parts of them.
    #[serde(default)]
    said: Vec<String>,
    /// What is in no line.
    #[serde(default)]
    unsaid: Vec<String>,
    /// Parts of the machines' documents, which the evaluation that was kept has.
    #[serde(default)]
    machines: BTreeMap<String, Value>,
    /// Whether the evaluation is kept for the next time.
    kept: Option<bool>,
}

impl Shape {
    /// All shapes, by name.
    pub fn all() -> Result<Vec<Self>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flakes/shapes");
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        files.sort();
        files.iter().map(|file| Self::read(file)).collect()
    }

    fn read(file: &Path) -> Result<Self> {
        let read = || -> Result<Text> { Ok(toml::from_str(&fs::read_to_string(file)?)?) };
        let text = read().with_context(|| file.display().to_string())?;
        let name = file.file_stem().context("a file has a name")?;
        Ok(Self { name: name.to_string_lossy().into_owned(), text })
    }

    /// Fails with what is otherwise than the shape says.
    pub fn holds(&self) -> Result<()> {
        let folder = tempfile::Builder::new().prefix("shape-").tempdir()?;
        self.write(folder.path())?;
        let nix = Nix::new(folder.path())?.bind(&programs::folder()?.join("bin"))?;
        let script: String =
            self.text.run.iter().enumerate().map(|(at, run)| run.script(at)).collect();
        let ended = nix.command(["sh", "-c", &format!("{BEGIN}{script}")])?.output()?;
        let errors = String::from_utf8_lossy(&ended.stderr);
        ensure!(ended.status.success(), "the shape cannot be tried: {errors}");
        for (at, run) in self.text.run.iter().enumerate() {
            let printed = fs::read_to_string(folder.path().join(format!("printed-{at}")))?;
            let kept = kept(&folder.path().join(format!("kept-{at}")))?;
            run.compare(&printed, &kept).with_context(|| format!("{}\n{printed}", run.command))?;
        }
        Ok(())
    }

    fn write(&self, folder: &Path) -> Result<()> {
        let programs = programs::folder()?.join("bin");
        let ours = [
            ("bin/ssh", SSH),
            ("flake/fake.nix", FAKE),
            ("flake/flake.nix", self.text.flake.as_str()),
        ];
        let deploy = format!("#!/bin/sh\nexec {}/deploy \"$@\"\n", programs.display());
        let more =
            self.text.files.iter().map(|(path, text)| (format!("flake/{path}"), text.as_str()));
        let all = ours.map(|(path, text)| (path.to_owned(), text)).into_iter();
        for (path, text) in all.chain([("bin/deploy".to_owned(), deploy.as_str())]).chain(more) {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().context("a file has a folder")?)?;
            fs::write(&path, text)?;
            if path.starts_with(folder.join("bin")) {
                let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
                fs::set_permissions(&path, mode)?;
            }
        }
        Ok(())
    }
}

impl Run {
    fn script(&self, at: usize) -> String {
        let Self { before, command, .. } = self;
        format!(
            "{before}\n({command}) > ../printed-{at} 2>&1 < /dev/null || true\n\
             mkdir ../kept-{at}; mv ../home/.cache/deploy/evaluations/*.json ../kept-{at} 2>/dev/null || true\n"
        )
    }

    fn compare(&self, printed: &str, kept: &[Value]) -> Result<()> {
        for line in &self.said {
            ensure!(printed.contains(line.as_str()), "this was not printed: {line}");
        }
        for line in &self.unsaid {
            ensure!(!printed.contains(line.as_str()), "this was printed: {line}");
        }
        if let Some(expected) = self.kept {
            ensure!(kept.is_empty() != expected, "{} were kept, expected {expected}", kept.len());
        }
        if self.machines.is_empty() {
            return Ok(());
        }
        let [kept] = kept else { bail!("{} evaluations were kept", kept.len()) };
        let machines = &kept["value"]["value"]["machines"];
        let found: Vec<&String> =
            machines.as_object().into_iter().flat_map(|all| all.keys()).collect();
        ensure!(found == self.machines.keys().collect::<Vec<_>>(), "the machines are {found:?}");
        for (name, expected) in &self.machines {
            is_part(expected, &machines[name]).with_context(|| format!("machine {name}"))?;
        }
        Ok(())
    }
}

/// Fails where `whole` has not all that `part` has.
fn is_part(part: &Value, whole: &Value) -> Result<()> {
    if let (Value::Array(parts), Value::Array(wholes)) = (part, whole) {
        ensure!(parts.len() == wholes.len(), "{whole}, expected {part}");
        return parts.iter().zip(wholes).try_for_each(|(part, whole)| is_part(part, whole));
    }
    let Value::Object(fields) = part else {
        // A text with `…` says what it contains.
        if let (Value::String(part), Value::String(whole)) = (part, whole)
            && part.split('…').all(|word| whole.contains(word))
        {
            return Ok(());
        }
        ensure!(part == whole, "{whole}, expected {part}");
        return Ok(());
    };
    for (name, value) in fields {
        // TOML has no null.
        let expected = if value == "null" { &Value::Null } else { value };
        is_part(expected, &whole[name]).with_context(|| name.clone())?;
    }
    Ok(())
}

/// The evaluations that a run kept: one for each state of the tree that it evaluated.
fn kept(folder: &Path) -> Result<Vec<Value>> {
    fs::read_dir(folder)?
        .map(|entry| Ok(serde_json::from_str(&fs::read_to_string(entry?.path())?)?))
        .collect()
}
