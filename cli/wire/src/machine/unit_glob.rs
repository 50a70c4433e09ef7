//! Unit names with wildcards.

use std::{borrow::Cow, fmt};

use glob::Pattern;
use serde::{Deserialize, Serialize};

/// The suffixes of unit names; see systemd.unit(5).
const ENDINGS: [&str; 11] = [
    "service",
    "socket",
    "device",
    "mount",
    "automount",
    "swap",
    "target",
    "path",
    "timer",
    "slice",
    "scope",
];

/// A unit name or a pattern, with the wildcards of `systemctl`: `*`, `?`, `[abc]`, `[a-z]`,
/// `[!abc]`. A name without a wildcard and without a suffix is a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitGlob(Pattern);

impl UnitGlob {
    /// Parses a name or pattern. The error describes what is invalid.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c == '/') {
            return Err(format!("`{text}` is no name of a unit"));
        }
        let pattern = Pattern::new(text).map_err(|error| format!("`{text}`: {}", error.msg))?;
        Ok(Self(pattern))
    }

    /// Whether the pattern matches a unit's name.
    pub fn matches(&self, unit: &str) -> bool {
        let text = self.0.as_str();
        match text.contains(['*', '?', '[']) {
            true => self.0.matches(unit),
            false => full_name(text) == unit,
        }
    }
}

/// The unit's name with its suffix. A name without one is a service, as for `systemctl`.
pub fn full_name(unit: &str) -> Cow<'_, str> {
    match unit.rsplit_once('.') {
        Some((_, ending)) if ENDINGS.contains(&ending) => unit.into(),
        _ => format!("{unit}.service").into(),
    }
}

impl TryFrom<String> for UnitGlob {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<UnitGlob> for String {
    fn from(glob: UnitGlob) -> Self {
        glob.to_string()
    }
}

impl fmt::Display for UnitGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_of_units_is_read_as_systemctl_reads_it() {
        // (pattern, unit, whether it matches)
        for (pattern, unit, meant) in [
            ("acme-*", "acme-www.example.org.service", true),
            ("acme-*", "acme-renew-www.timer", true),
            ("acme-*", "macme-x.service", false),
            ("acme-*.service", "acme-x.timer", false),
            ("wg?.service", "wg0.service", true),
            ("wg?.service", "wg10.service", false),
            ("wg[0-3].service", "wg2.service", true),
            ("wg[!0-3].service", "wg2.service", false),
            ("getty@*", "getty@tty1.service", true),
            ("caddy", "caddy.service", true),
            ("caddy", "caddy.socket", false),
            ("caddy.socket", "caddy.socket", true),
            ("org.example", "org.example.service", true),
            (r"dev-disk-by\x2did.swap", r"dev-disk-by\x2did.swap", true),
            ("*", "x.mount", true),
        ] {
            let glob = UnitGlob::parse(pattern).unwrap();
            assert_eq!(glob.matches(unit), meant, "{pattern} {unit}");
        }
    }

    #[test]
    fn a_pattern_that_means_no_unit_is_refused_with_the_reason() {
        for text in ["", "a b", "/etc/x", "wg[0-3", "a**b"] {
            assert!(UnitGlob::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wrong_pattern_is_named_by_its_field() {
        let json = serde_json::json!({ "ignore": ["ok", "wg[0"] });
        let read: Result<crate::machine::Units, _> = serde_path_to_error::deserialize(json);
        let error = read.unwrap_err();
        assert!(error.path().to_string().contains("ignore[1]"), "{error}");
        assert!(error.to_string().contains("wg[0"), "{error}");
    }
}
