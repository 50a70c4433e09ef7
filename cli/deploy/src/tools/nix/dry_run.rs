//! Nix's preview of a build.

use deploy_wire::store_path::StorePath;

/// The work of a build, by name.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct BuildWork {
    /// The derivations to build.
    pub build: Vec<String>,
    /// The paths to fetch.
    pub fetch: Vec<String>,
}

impl BuildWork {
    /// Parses "these N derivations will be built:" and "these N paths will be fetched (…):", each
    /// followed by indented paths.
    pub(super) fn read(said: &str) -> Self {
        let mut work = Self::default();
        let mut into: Option<&mut Vec<String>> = None;
        for line in said.lines() {
            match line.strip_prefix("  ").map(StorePath::parse) {
                Some(Ok(path)) => {
                    if let Some(names) = into.as_mut() {
                        names.push(path.name().trim_end_matches(".drv").to_owned());
                    }
                }
                _ if line.contains("will be built") => into = Some(&mut work.build),
                _ if line.contains("will be fetched") => into = Some(&mut work.fetch),
                _ => into = None,
            }
        }
        work
    }
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
        let work = BuildWork::read(&said);
        assert_eq!(work.build, ["a"]);
        assert_eq!(work.fetch, ["b", "c"]);
    }
}
