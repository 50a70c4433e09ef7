//! The oldest supported version of Nix.

/// Before this version, `FLAKE#.` is not the whole of a flake's outputs. docs/nix-versions.md lists
/// the other commands.
pub const OLDEST: (u32, u32) = (2, 19);

/// Whether a version, as `nix (Nix) 2.26.3` or `nix (Lix, like Nix) 2.93.0`, is older than
/// [`OLDEST`]. An unreadable version is not too old.
pub fn is_too_old(version: &str) -> bool {
    let number = |text: Option<&str>| text?.parse::<u32>().ok();
    let mut parts = version.rsplit(' ').next().unwrap_or_default().split('.');
    match (number(parts.next()), number(parts.next())) {
        (Some(major), Some(minor)) => (major, minor) < OLDEST,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for (version, old) in [
            ("nix (Nix) 2.18.9", true),
            ("nix (Nix) 2.3.16", true),
            ("nix (Nix) 1.11", true),
            ("nix (Nix) 2.19.0", false),
            ("nix (Nix) 2.26.3", false),
            ("nix (Nix) 3.0", false),
            ("nix (Lix, like Nix) 2.93.0", false),
            ("nix (Determinate Nix 3.5.2) 2.28.3", false),
            ("nix (Nix) 2.30pre20250101_abc", false),
            ("something else", false),
        ] {
            assert_eq!(is_too_old(version), old, "{version}");
        }
    }
}
