//! extlinux.conf, as NixOS's generic-extlinux-compatible builder writes it.

use super::init_of;

/// The `init=` of the entry that `DEFAULT` names, or why it cannot be determined.
pub fn default_init(text: &str) -> Result<String, String> {
    let mut default = None;
    let mut label = None;
    let mut found = None;
    for line in text.lines() {
        let (word, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        match word.to_ascii_uppercase().as_str() {
            "DEFAULT" => default = Some(rest.trim()),
            "LABEL" => label = Some(rest.trim()),
            "APPEND" if label.is_some() && label == default => {
                found = init_of(rest).map(str::to_owned);
            }
            _ => {}
        }
    }
    let default = default.ok_or("it has no DEFAULT")?;
    found.ok_or_else(|| format!("its default entry `{default}` has no init="))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Generated file, all changes will be lost on nixos-rebuild!\n\
        DEFAULT nixos-default\n\nTIMEOUT 50\n\n\
        LABEL nixos-default\n  MENU LABEL NixOS - Default\n  LINUX ../nixos/k\n  INITRD ../nixos/i\n\
        \x20 APPEND init=/nix/store/a/init loglevel=4\n\n\
        LABEL nixos-1-default\n  APPEND init=/nix/store/b/init\n";

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
}
