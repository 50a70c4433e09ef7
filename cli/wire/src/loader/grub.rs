//! grub.cfg, as NixOS's install-grub writes it.
//!
//! The parser reads only what decides the default: `set default=…` and the top-level entries, in
//! order. It reports a saved or conditional default as unknown, because GRUB then chooses by a file
//! that only GRUB reads.

use super::init_of;

struct GrubEntry {
    title: String,
    id: Option<String>,
    init: Option<String>,
}

/// The `init=` of the default entry, or why it cannot be determined.
pub fn default_init(text: &str) -> Result<String, String> {
    let default = default_word(text)?;
    let entries = top_level(text);
    let chosen = match default.parse::<usize>() {
        Ok(number) => entries.get(number),
        Err(_) => entries
            .iter()
            .find(|entry| entry.title == default || entry.id.as_deref() == Some(default.as_str())),
    };
    let entry = chosen.ok_or_else(|| format!("it has no entry `{default}`, its default"))?;
    entry.init.clone().ok_or_else(|| format!("its default entry `{}` has no init=", entry.title))
}

/// The last plain `default`. NixOS writes `set default=N` once. It also writes `set
/// default="${saved_entry}"` in a branch that is taken only on machines that save the choice; the
/// file of `save_env` decides there.
fn default_word(text: &str) -> Result<String, String> {
    let mut default = None;
    for line in text.lines() {
        let line = line.trim();
        let line = line.strip_prefix("set ").unwrap_or(line);
        let Some(value) = line.strip_prefix("default=") else { continue };
        let value = value.trim().trim_matches(|c| c == '"' || c == '\'');
        if value == "saved" {
            return Err("its default is what was saved last".into());
        }
        // NixOS's file always has the branch that sets `${saved_entry}`.
        if !value.contains('$') {
            default = Some(value.to_owned());
        }
    }
    default.ok_or_else(|| "it sets no default".into())
}

/// The entries outside of any submenu. A submenu counts as one entry without `init=`.
fn top_level(text: &str) -> Vec<GrubEntry> {
    let mut entries: Vec<GrubEntry> = Vec::new();
    let mut depth = 0usize;
    let mut entry_depth = None;
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        let starts = line.starts_with("menuentry ") || line.starts_with("submenu ");
        if starts && entry_depth.is_none() {
            entries.push(GrubEntry { title: quoted(line), id: option(line), init: None });
            entry_depth = Some(depth);
        } else if line.starts_with("linux")
            && entry_depth.is_some_and(|outer| depth == outer + 1)
            && let (Some(entry), Some(init)) = (entries.last_mut(), init_of(line))
        {
            entry.init = Some(init.to_owned());
        }
        depth += braces(line, '{');
        depth = depth.saturating_sub(braces(line, '}'));
        if entry_depth == Some(depth) && line.ends_with('}') {
            entry_depth = None;
        }
    }
    entries
}

/// Counts the braces that are a word of their own. `${x}` does not count.
fn braces(line: &str, brace: char) -> usize {
    line.split_whitespace().filter(|word| word.len() == 1 && word.starts_with(brace)).count()
}

fn quoted(line: &str) -> String {
    let mut parts = line.split(['"', '\'']);
    parts.nth(1).unwrap_or_default().to_owned()
}

fn option(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    words.find(|word| *word == "--id" || *word == "$menuentry_id_option")?;
    words.next().map(|word| word.trim_matches(['"', '\'']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
search --set=drive1 --fs-uuid 1234
if [ -s $prefix/grubenv ]; then
  load_env
fi
# ‘grub-reboot’ sets a one-time saved entry.
if [ "${saved_entry}" ]; then
  set default="${saved_entry}"
  set saved_entry=
  save_env saved_entry
else
  set default=0
  set timeout=5
fi
function savedefault {
    if [ -z "${boot_once}"]; then
    saved_entry="${chosen}"
    fi
}
menuentry "NixOS" --class nixos --unrestricted {
search --set=drive1 --fs-uuid 1234
  linux ($drive1)/kernels/k init=/nix/store/a/init loglevel=4
  initrd ($drive1)/kernels/i
}
submenu "NixOS - All configurations" --class submenu {
menuentry "NixOS - Configuration 2" --class nixos {
  linux ($drive1)/kernels/k init=/nix/store/b/init
}
menuentry "NixOS - Configuration 1" {
  linux ($drive1)/kernels/k init=/nix/store/c/init
}
}
menuentry 'Memtest' --id memtest {
  linux16 ($drive1)/memtest.bin
}
"#;

    #[test]
    fn takes_the_default_entry() {
        assert_eq!(default_init(TEXT).unwrap(), "/nix/store/a/init");
    }

    #[test]
    fn another_number_or_title_or_id_is_followed() {
        let with = |value: &str| TEXT.replace("set default=0", &format!("set default={value}"));
        assert_eq!(default_init(&with("NixOS")).unwrap(), "/nix/store/a/init");
        assert!(default_init(&with("1")).unwrap_err().contains("All configurations` has no init="));
        assert!(default_init(&with("memtest")).unwrap_err().contains("Memtest"));
        assert!(default_init(&with("7")).unwrap_err().contains("no entry `7`"));
    }

    #[test]
    fn a_saved_default_is_not_guessed() {
        let saved = TEXT.replace("set default=0", "set default=saved");
        assert!(default_init(&saved).unwrap_err().contains("saved"));
        assert_eq!(default_init("").unwrap_err(), "it sets no default");
    }
}
