//! git is told of new files: a flake does not see what git does not track.

use std::path::{Path, PathBuf};

use crate::{
    report::{Event, Report},
    tools::process::Invocation,
};

/// Tells git that the files are there, and commits nothing. Without a repository there is nothing to
/// tell; a git that refuses is a warning with the command.
pub async fn files(files: &[PathBuf], flake: &Path, report: &Report) {
    if !flake.ancestors().any(|folder| folder.join(".git").exists()) {
        return;
    }
    let add = Invocation::new("git")
        .in_folder(flake)
        .args(["add", "--intent-to-add", "--"])
        .args(files.iter().map(PathBuf::as_path));
    if let Err(error) = add.output().await {
        let said = error.stderr().trim().to_owned();
        let why = if said.is_empty() { error.to_string() } else { said };
        let names: Vec<String> = files
            .iter()
            .map(|file| file.strip_prefix(flake).unwrap_or(file).display().to_string())
            .collect();
        let text = format!(
            "git does not track the new files, and the flake does not see them: git add {}: {why}",
            names.join(" ")
        );
        report.tell(Event::Warning { machine: None, text });
    }
}
