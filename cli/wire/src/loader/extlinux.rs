//! extlinux.conf, as NixOS's generic-extlinux-compatible builder writes it.

use super::init_of;

/// The default entry of an extlinux.conf: what a loader starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtlinuxEntry {
    /// The kernel's path, relative to the folder of extlinux.conf.
    pub kernel: String,
    /// The initrd's path, relative to the same folder.
    pub initrd: String,
    /// The kernel's command line, with the `init=` of the system.
    pub options: String,
}

impl ExtlinuxEntry {
    /// Reads the entry that `DEFAULT` names.
    ///
    /// # Errors
    /// What is missing, in a few words.
    pub fn default_of(text: &str) -> Result<Self, String> {
        let found = default_entry(text)?;
        let has = |value: Option<&str>, word: &str| {
            let missing = || format!("its default entry `{}` has no {word}", found.label);
            value.map(str::to_owned).ok_or_else(missing)
        };
        let options = has(found.options, "APPEND")?;
        init_of(&options).ok_or_else(|| no_init(found.label))?;
        Ok(Self {
            kernel: has(found.kernel, "LINUX")?,
            initrd: has(found.initrd, "INITRD")?,
            options,
        })
    }
}

/// The `init=` of the entry that `DEFAULT` names, or why it cannot be determined.
pub fn default_init(text: &str) -> Result<String, String> {
    let found = default_entry(text)?;
    let init = found.options.and_then(init_of);
    init.map(str::to_owned).ok_or_else(|| no_init(found.label))
}

fn no_init(label: &str) -> String {
    format!("its default entry `{label}` has no init=")
}

/// The lines of the default entry.
struct Lines<'t> {
    label: &'t str,
    kernel: Option<&'t str>,
    initrd: Option<&'t str>,
    options: Option<&'t str>,
}

fn default_entry(text: &str) -> Result<Lines<'_>, String> {
    let mut default = None;
    let mut label = None;
    let (mut kernel, mut initrd, mut options) = (None, None, None);
    for line in text.lines() {
        let (word, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        let is_default = label.is_some() && label == default;
        match word.to_ascii_uppercase().as_str() {
            "DEFAULT" => default = Some(rest.trim()),
            "LABEL" => label = Some(rest.trim()),
            "LINUX" if is_default => kernel = Some(rest.trim()),
            "INITRD" if is_default => initrd = Some(rest.trim()),
            "APPEND" if is_default => options = Some(rest.trim()),
            _ => {}
        }
    }
    let label = default.ok_or("it has no DEFAULT")?;
    Ok(Lines { label, kernel, initrd, options })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Generated file, all changes will be lost on nixos-rebuild!\n\
        DEFAULT nixos-default\n\nTIMEOUT 50\n\n\
        LABEL nixos-default\n  MENU LABEL NixOS - Default\n  LINUX ../nixos/k\n  INITRD ../nixos/i\n\
        \x20 APPEND init=/nix/store/a/init loglevel=4\n\n\
        LABEL nixos-1-default\n  LINUX ../nixos/l\n  APPEND init=/nix/store/b/init\n";

    #[test]
    fn takes_the_default_entry() {
        assert_eq!(default_init(TEXT).unwrap(), "/nix/store/a/init");
        let other = TEXT.replace("DEFAULT nixos-default", "DEFAULT nixos-1-default");
        assert_eq!(default_init(&other).unwrap(), "/nix/store/b/init");
    }

    #[test]
    fn says_what_is_missing() {
        assert_eq!(default_init("").unwrap_err(), "it has no DEFAULT");
        assert!(default_init("DEFAULT x\n").unwrap_err().contains("`x` has no init="));
    }

    #[test]
    fn an_entry_has_a_kernel_an_initrd_and_a_system() {
        let entry = ExtlinuxEntry::default_of(TEXT).unwrap();
        let expected = ["../nixos/k", "../nixos/i", "init=/nix/store/a/init loglevel=4"];
        assert_eq!([entry.kernel, entry.initrd, entry.options], expected.map(str::to_owned));
        let other = TEXT.replace("DEFAULT nixos-default", "DEFAULT nixos-1-default");
        let lacks = |text: &str| ExtlinuxEntry::default_of(text).unwrap_err();
        assert!(lacks(&other).ends_with("`nixos-1-default` has no INITRD"));
        assert!(lacks(&TEXT.replace("init=", "x=")).ends_with("has no init="));
        assert!(lacks(&TEXT.replace("LINUX", "#")).ends_with("has no LINUX"));
    }
}
