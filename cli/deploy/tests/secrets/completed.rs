//! Completion of names, by the script that is shipped for bash.

use std::process::{Command, Stdio};

use crate::fleet::{Ended, Fleet, are_here};

/// What bash offers for a word that was begun.
fn offered(fleet: &Fleet, words: &str) -> Vec<String> {
    let script = format!(
        "source <(DEPLOY_COMPLETE=bash deploy); COMP_WORDS=(deploy {words}); \
         COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMP_TYPE=9; \
         _clap_complete_deploy deploy \"${{COMP_WORDS[COMP_CWORD]}}\"; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let mut bash = Command::new("bash");
    fleet.prepare(&mut bash);
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_deploy")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    bash.env("PATH", format!("{}:{path}", folder.display()));
    let output = bash.args(["-c", &script]).stdin(Stdio::null()).output().unwrap();
    let ended = Ended::of(output);
    ended.says(0, &[]).out.lines().map(str::to_owned).collect()
}

#[test]
fn names_of_secrets_are_completed_without_an_evaluation() {
    if !are_here(&["bash", "ssh-keygen"]) {
        return;
    }
    let fleet = Fleet::new();
    let joe = fleet.key("home/.ssh/id_ed25519", "ed25519", "");
    fleet.write("repo/secrets/web/token.age", "");
    // The files alone, before anything was evaluated.
    assert_eq!(offered(&fleet, "secrets show web/"), ["web/token"]);
    fleet.rules(&[("alone.age", &[&joe]), ("also.age", &[&joe]), ("web/token.age", &[&joe])]);
    fleet.deploy(&["list"]).says(0, &[]);
    let asked = fleet.times_nix_was_asked();
    assert_eq!(offered(&fleet, "secrets edit al"), ["alone", "also"]);
    assert_eq!(offered(&fleet, "secrets rekey alone also.a"), ["also.age"]);
    let commands = offered(&fleet, "secrets re");
    assert!(commands.contains(&"rekey".to_owned()), "{commands:?}");
    assert_eq!(offered(&fleet, "secrets show --text"), [""], "a flag of another command");
    fleet.write("repo/secrets/secrets.nix", format!("{{ machines.alps = \"{joe}\"; }}"));
    assert_eq!(offered(&fleet, "secrets recipients remove al"), ["alps"]);
    assert_eq!(offered(&fleet, "secrets recipients add m"), ["machines.alps"]);
    assert_eq!(offered(&fleet, "secrets rekey al"), ["alone", "also", "alps"]);
    assert_eq!(fleet.times_nix_was_asked(), asked);
    fleet.write("other/secrets.nix", "{ }");
    fleet.write("other/else.age", "");
    let others = fleet.path("other/secrets.nix").display().to_string();
    assert_eq!(offered(&fleet, &format!("secrets show --rules {others} el")), ["else"]);
}
