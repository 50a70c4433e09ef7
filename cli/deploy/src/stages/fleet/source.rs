//! The flake's files on this computer, if it is a folder.

use std::path::{Path, PathBuf};

/// Makes a folder's path absolute. Nix would read `path/or/ref` as an entry of its registry.
pub fn absolute(flake: &str) -> String {
    let folder = Path::new(flake);
    let is_reference = flake.contains(':');
    match folder.canonicalize() {
        Ok(path) if !is_reference && path.is_dir() => reference(&path),
        _ => flake.to_owned(),
    }
}

/// The folder in a reference, without fragment and query.
pub fn folder(flake: &str) -> Option<PathBuf> {
    let path = ["git+file://", "path:"].iter().find_map(|scheme| flake.strip_prefix(scheme));
    let path = Path::new(path.unwrap_or(flake));
    let whole = path.canonicalize().ok();
    let bare = || {
        let text = path.to_str()?;
        Path::new(text.split_once('?')?.0).canonicalize().ok()
    };
    whole.or_else(bare).filter(|path| path.is_dir())
}

/// Whether the text looks like a path to a folder that does not exist. Nix's own error says less.
pub fn names_no_folder(flake: &str) -> bool {
    let is_path = flake.starts_with(['/', '.', '~']) && !flake.contains(['?', '#']);
    is_path && !Path::new(flake).exists()
}

/// A folder as a flake reference. `#`, `?` and `%` in its path are escaped.
fn reference(folder: &Path) -> String {
    let text = folder.display().to_string();
    if !text.contains(['#', '?', '%']) {
        return text;
    }
    let encoded = |path: &Path| {
        path.display().to_string().replace('%', "%25").replace('#', "%23").replace('?', "%3F")
    };
    let Some(root) = folder.ancestors().find(|path| path.join(".git").exists()) else {
        return format!("path:{}", encoded(folder));
    };
    let below = folder.strip_prefix(root).map(encoded).unwrap_or_default();
    let dir = if below.is_empty() { String::new() } else { format!("?dir={below}") };
    format!("git+file://{}{dir}", encoded(root))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_whose_path_has_marks_of_a_reference_is_still_a_folder() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let flake = root.join("a#b/c?d");
        std::fs::create_dir_all(&flake).unwrap();
        let at = root.display();
        assert_eq!(reference(&flake), format!("path:{at}/a%23b/c%3Fd"));
        std::fs::create_dir(root.join("a#b/.git")).unwrap();
        assert_eq!(reference(&flake), format!("git+file://{at}/a%23b?dir=c%3Fd"));
        assert_eq!(reference(&root), at.to_string());
        assert_eq!(folder(flake.to_str().unwrap()), Some(flake.clone()));
        assert_eq!(folder(&format!("path:{at}?dir=a")), Some(root.clone()));
        assert_eq!(folder(&format!("{at}?submodules=1")), Some(root));
        assert_eq!(folder("github:owner/name"), None);
    }
}
