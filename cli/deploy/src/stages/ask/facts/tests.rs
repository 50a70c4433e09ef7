use super::*;

const SYSTEM: &str = "/nix/store/11111111111111111111111111111111-nixos-system-frame1";

#[test]
fn words_and_files_are_told_apart_from_noise() {
    let text = format!(
        "welcome to frame1\n@machine aarch64\n@host frame1\n@runs {SYSTEM}\n@profile system-41-link\n\
         @free /dev/sda1 100 50 40 56% /nix\n@file extlinux\n|DEFAULT a\n|LABEL a\n\
         | APPEND init={SYSTEM}/init\n|@host evil\n|\n@endfile\n@booted \n@facts end\n"
    );
    let facts = Answer::read(&text).facts().unwrap();
    assert_eq!(facts.system, Some(System::Aarch64Linux));
    assert_eq!(facts.host, "frame1");
    assert_eq!(facts.generation, Some(41));
    assert_eq!(facts.free, Some(40 * 1024));
    assert_eq!(facts.boots.known().unwrap().as_str(), SYSTEM);
    assert_eq!(facts.attempt, Ok(None));
}

#[test]
fn failed_units_are_known_only_where_systemd_was_asked() {
    let facts = |text: &str| Answer::read(text).facts().unwrap().failed_units;
    assert_eq!(facts("@facts end\n"), None);
    assert_eq!(facts("@file failedUnits\n|\n\n@endfile\n@facts end\n"), Some(Vec::new()));
    let one = "@file failedUnits\n|a.service loaded failed failed A\n\n@endfile\n@facts end\n";
    assert_eq!(facts(one), Some(vec!["a.service".to_owned()]));
}

#[test]
fn every_active_service_of_the_agent_is_told() {
    let text = "@file hostKeys\n|ssh-ed25519 A root@frame1\n@endfile\n\
         @watcher deploy-agent-7f3a01c2.service\n@watcher deploy-agent-boot.service\n\
         @facts end\n";
    let facts = Answer::read(text).facts().unwrap();
    assert_eq!(facts.watchers, ["deploy-agent-7f3a01c2.service", "deploy-agent-boot.service"]);
    assert_eq!(facts.identity.host_keys, ["ssh-ed25519 A"]);
}

#[test]
fn the_entries_of_systemd_boot_are_read_by_their_names() {
    let entries = format!(
        "|/boot/loader/entries/nixos-generation-1.conf:options init=/nix/store/x/init\n\
         |/boot/loader/entries/nixos-generation-2.conf:title NixOS: new\n\
         |/boot/loader/entries/nixos-generation-2.conf:options init={SYSTEM}/init loglevel=4\n"
    );
    let boots = |rest: &str| {
        let text = format!(
            "@file systemdBoot\n|default nixos-generation-2.conf\n@endfile\n\
             @file systemdBootEntries\n{entries}@endfile\n{rest}@facts end\n"
        );
        Answer::read(&text).facts().unwrap().boots
    };
    assert_eq!(boots("").known().unwrap().as_str(), SYSTEM);
    assert_eq!(boots("@efi BootOrder-1\n").known().unwrap().as_str(), SYSTEM);
    assert_eq!(boots("@efi \n").known(), None);
    let chosen = boots("@efi BootOrder-1\n@LoaderEntryOneShot windows.conf\n").to_string();
    assert!(chosen.contains("no entry `windows.conf`"), "{chosen}");
}

#[test]
fn profiles_are_read_in_their_order() {
    let text = format!(
        "@profileUser-0 0\n@profile-0 {SYSTEM}\n@profileUser-1 \n@profile-1 \n\
         @profileUser-2 1000\n@profile-2 \n@facts end\n"
    );
    let profiles = Answer::read(&text).facts().unwrap().profiles;
    let seen: Vec<_> = profiles.iter().map(|it| (it.has_user, it.names.is_some())).collect();
    assert_eq!(seen, [(true, true), (false, false), (true, false)]);
}

#[test]
fn a_broken_record_is_said_to_be_broken() {
    let answer = Answer::read("@file attempt\n|{ \"version\":\n@endfile\n@facts end\n");
    assert!(answer.facts().unwrap().attempt.is_err());
}

#[test]
fn half_an_answer_is_none() {
    assert_eq!(Answer::read("@machine x86_64\n").facts(), None);
}
