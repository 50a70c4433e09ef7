use super::*;

fn entry(version: &str, init: &str) -> String {
    format!(
        "title NixOS\nsort-key nixos\nversion {version}\nlinux /EFI/nixos/k.efi\n\
         initrd /EFI/nixos/i.efi\noptions init=/nix/store/{init}/init loglevel=4\nmachine-id 1\n"
    )
}

/// Three generations named as NixOS 25.11 names them, and a `loader.conf`.
fn generations(loader_conf: &str) -> SystemdBoot {
    let entries = [("2", "two"), ("9", "nine"), ("10", "ten")].map(|(number, init)| {
        let name = format!("nixos-generation-{number}.conf");
        (name, entry(&format!("Generation {number} NixOS 25.11"), init))
    });
    SystemdBoot {
        loader_conf: loader_conf.into(),
        entries: entries.into(),
        ..SystemdBoot::default()
    }
}

fn init(found: &SystemdBoot) -> String {
    default_init(found).unwrap()
}

#[test]
fn the_default_of_loader_conf_is_taken() {
    let found = generations("timeout 5\ndefault nixos-generation-9.conf\nconsole-mode keep\n");
    assert_eq!(init(&found), "/nix/store/nine/init");
    let missing = generations("default nixos-generation-7.conf\n");
    assert!(default_init(&missing).unwrap_err().contains("no entry `nixos-generation-7.conf`"));
}

#[test]
fn names_made_of_a_hash_are_names_like_others() {
    let mut found = generations("default nixos-0f3c2b9a1d5e.conf\n");
    found.entries.insert("nixos-0f3c2b9a1d5e.conf".into(), entry("Generation 11", "eleven"));
    assert_eq!(init(&found), "/nix/store/eleven/init");
}

#[test]
fn a_pattern_takes_the_first_of_the_menu_which_is_the_newest() {
    assert_eq!(init(&generations("default nixos-*\n")), "/nix/store/ten/init");
    assert_eq!(init(&generations("default NixOS-generation-?.conf\n")), "/nix/store/nine/init");
    assert_eq!(init(&generations("timeout 5\n")), "/nix/store/ten/init");
}

#[test]
fn an_entry_that_boot_counting_gave_up_comes_last() {
    let mut found = generations("default nixos-*\n");
    found.entries.insert("nixos-generation-11+0-3.conf".into(), entry("Generation 11", "bad"));
    assert_eq!(init(&found), "/nix/store/ten/init");
    found.entries.insert("nixos-generation-12+2-1.conf".into(), entry("Generation 12", "tried"));
    assert_eq!(init(&found), "/nix/store/tried/init");
    found.loader_conf = "default nixos-generation-12.conf\n".into();
    assert_eq!(init(&found), "/nix/store/tried/init");
}

#[test]
fn what_the_firmware_holds_comes_before_loader_conf() {
    let mut found = generations("default nixos-generation-10.conf\n");
    let set = |one_shot: Option<&str>, default: Option<&str>| Variables::Read {
        one_shot: one_shot.map(Into::into),
        default: default.map(Into::into),
    };
    found.variables = set(None, None);
    assert_eq!(init(&found), "/nix/store/ten/init");
    found.variables = set(None, Some("nixos-generation-9.conf"));
    assert_eq!(init(&found), "/nix/store/nine/init");
    found.variables = set(Some("nixos-generation-2.conf"), Some("nixos-generation-9.conf"));
    assert_eq!(init(&found), "/nix/store/two/init");
    found.variables = set(Some("auto-reboot-to-firmware-setup"), None);
    assert!(default_init(&found).unwrap_err().contains("no entry `auto-reboot"));
    found.variables = Variables::Unreadable;
    assert!(default_init(&found).unwrap_err().contains("EFI variables"));
}

#[test]
fn what_is_no_entry_with_a_system_is_not_guessed() {
    let mut found = generations("default @saved\n");
    assert!(default_init(&found).unwrap_err().contains("started last"));
    found.loader_conf = "default windows.conf\n".into();
    found.entries.insert("windows.conf".into(), "title Windows\nefi /EFI/x.efi\n".into());
    assert!(default_init(&found).unwrap_err().contains("`windows.conf` has no init="));
    found.images.push("nixos-generation-3.efi".into());
    found.loader_conf = "default nixos-generation-3*\n".into();
    assert!(default_init(&found).unwrap_err().contains("unified kernel image"));
    found.loader_conf = String::new();
    assert!(default_init(&found).unwrap_err().contains("unified kernel images"));
    assert!(default_init(&SystemdBoot::default()).unwrap_err().contains("no entries"));
}

#[test]
fn a_corrupt_entry_of_an_old_generation_does_not_matter() {
    let mut found = generations("default nixos-generation-10.conf\n");
    found.entries.insert("nixos-generation-2.conf".into(), "\u{fffd}\0\u{1}options".into());
    assert_eq!(init(&found), "/nix/store/ten/init");
}

#[test]
fn patterns_match_as_globs_do() {
    for (pattern, name) in
        [("*", ""), ("a*c", "abbc"), ("?b", "ab"), ("[a-c]x", "bx"), ("[]x]", "]"), ("\\*", "*")]
    {
        assert!(matches(pattern, name), "{pattern} {name}");
    }
    for (pattern, name) in
        [("", "a"), ("a", ""), ("a*c", "ab"), ("[a-c]", "d"), ("[a", "a"), ("\\*", "x")]
    {
        assert!(!matches(pattern, name), "{pattern} {name}");
    }
}
