//! A change of keys that is interrupted while Nix says what it means.

use std::{
    fs,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::fleet::{Ended, Fleet, are_here, run};

#[test]
fn a_change_of_keys_that_is_interrupted_leaves_them_as_they_were() {
    if !are_here(&["ssh-keygen", "kill"]) {
        return;
    }
    let fleet = Fleet::new();
    let joe = fleet.key("home/.ssh/id_ed25519", "ed25519", "");
    let (old, new) = (fleet.key("old", "ed25519", ""), fleet.key("new", "ed25519", ""));
    fleet.rules(&[("a.age", &[&joe])]);
    fleet.write("repo/secrets/secrets.nix", "import ../keys.nix");
    let keys =
        fleet.write("repo/keys.nix", format!("{{\n  machines.frame1 = \"{old}\"; # attic\n}}\n"));
    let before = fs::read_to_string(&keys).unwrap();
    let word = new.split(' ').nth(1).unwrap();
    let evaluates = format!(
        "if grep -qF '{word}' \"$HOME/../repo/keys.nix\"; then touch \"$HOME/waits\"; exec sleep 20; fi; \
         cat \"$HOME/rules.json\""
    );
    fleet.program("nix", &evaluates);
    for signal in ["-INT", "-TERM"] {
        let mut deploy = fleet.command(&["recipients", "add", "frame1", &new]);
        deploy.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let deploy = deploy.spawn().unwrap();
        let until = Instant::now() + Duration::from_secs(15);
        while !fleet.path("home/waits").exists() {
            assert!(Instant::now() < until, "Nix was not asked again");
            thread::sleep(Duration::from_millis(20));
        }
        assert_ne!(fs::read_to_string(&keys).unwrap(), before);
        run("kill", &[signal, &deploy.id().to_string()]);
        let ended = Ended::of(deploy.wait_with_output().unwrap());
        ended.says(1, &["the key of frame1 was not added", "it was interrupted", "nothing was"]);
        assert_eq!(fs::read_to_string(&keys).unwrap(), before);
        fs::remove_file(fleet.path("home/waits")).unwrap();
    }
}
