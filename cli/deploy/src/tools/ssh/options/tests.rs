//! Compares the table of docs/ssh-config.md with the options that are passed and with what `ssh`
//! does with them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::target::{PINNED, Target};
use super::*;

const PAGE: &str = include_str!("../../../../../../docs/ssh-config.md");

/// A row of the page's table.
struct Row {
    option: &'static str,
    decision: &'static str,
    passed: &'static str,
}

fn rows() -> Vec<Row> {
    let (_, table) = PAGE.split_once("<!-- options -->").unwrap();
    let (table, _) = table.split_once("<!-- end -->").unwrap();
    let lines = table.lines().filter(|line| line.starts_with("| ")).skip(1);
    lines
        .map(|line| {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            Row { option: cells[1], decision: cells[2], passed: cells[3].trim_matches('`') }
        })
        .collect()
}

/// The options about sharing the connection. They differ between logins.
const SHARING: [(&str, &str); 3] =
    [("ControlMaster", "no"), ("ControlPath", "none"), ("ControlPersist", "no")];

#[test]
fn the_page_says_what_is_passed() {
    let passed = |decision: &str| -> BTreeSet<_> {
        let rows = rows().into_iter();
        let rows = rows.filter(|row| row.decision == decision && !row.passed.is_empty());
        rows.map(|row| (row.option, row.passed)).collect()
    };
    let newer = FIXED_SINCE.iter().map(|(_, name, value)| (*name, *value));
    assert_eq!(passed("overridden"), FIXED.into_iter().chain(newer).chain(SHARING).collect());
    let tickets = [("GSSAPIDelegateCredentials", NO_TICKETS)];
    let defaults = DEFAULTS.into_iter().chain(LENDS_NOTHING).chain(tickets);
    assert_eq!(passed("default"), defaults.collect());
    for row in rows() {
        assert!(["honoured", "overridden", "default", "no effect"].contains(&row.decision));
    }
}

/// The settings that this computer's `ssh` reports.
async fn settings(config: &str, args: &[OsString]) -> BTreeMap<String, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), config).unwrap();
    let ssh = Invocation::new("ssh").args(["-G", "-F"]).arg(file.path());
    // One of the configurations stops `ssh` already here.
    let said = ssh.args(args.iter().cloned()).arg("host").output().await.unwrap_or_default();
    let lines = String::from_utf8(said).unwrap();
    let pairs = lines.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect()
}

#[tokio::test]
async fn the_page_has_every_option_of_ssh() {
    let rows: BTreeSet<_> = rows().iter().map(|row| row.option.to_lowercase()).collect();
    let settings = settings("", &[]).await;
    assert!(settings.len() > 50, "{settings:?}");
    for name in settings.into_keys() {
        assert!(rows.contains(&name), "{name} is not in docs/ssh-config.md");
    }
}

/// Lines of a user's ssh_config, and what `ssh` reports if they took effect.
const TRAPS: [(&str, &str); 9] = [
    ("ClearAllForwardings no", "yes"),
    ("PermitLocalCommand yes", "no"),
    ("RemoteCommand tmux attach", ""),
    ("RequestTTY force", "false"),
    ("LogLevel QUIET", "INFO"),
    ("StdinNull yes", "no"),
    ("SessionType none", "default"),
    ("ForkAfterAuthentication yes", "no"),
    ("ChannelTimeout session=1m", "none"),
];

#[tokio::test]
async fn what_a_user_s_ssh_config_must_not_change_it_does_not() {
    let (options, _) = Options::of(&[]).await.unwrap();
    let known: BTreeSet<_> = options.fixed.iter().map(|(name, _)| *name).collect();
    let tried: BTreeSet<_> =
        TRAPS.iter().map(|(trap, _)| trap.split_once(' ').unwrap().0).collect();
    let all = FIXED.iter().map(|(name, _)| *name);
    assert_eq!(tried, all.chain(FIXED_SINCE.iter().map(|(_, name, _)| *name)).collect());
    for (trap, expected) in TRAPS {
        let (name, value) = trap.split_once(' ').unwrap();
        if !known.contains(name) {
            continue;
        }
        let config = format!("Host *\n  {trap}\n");
        let of = async |args: &[OsString]| {
            settings(&config, args).await.remove(&name.to_lowercase()).unwrap_or_default()
        };
        let alone = of(&[]).await;
        assert!(alone.eq_ignore_ascii_case(value) || alone != expected, "no trap: {trap}: {alone}");
        assert_eq!(of(&options.args()).await, expected, "{trap}");
    }
}

#[tokio::test]
async fn the_users_own_arguments_come_before_the_defaults() {
    let opts = ["-o", "ConnectTimeout=99", "-v", "-o", "LogLevel=QUIET"].map(str::to_owned);
    let (options, left_out) = Options::of(&opts).await.unwrap();
    let settings = settings("ServerAliveInterval 60", &options.args()).await;
    assert_eq!(settings["connecttimeout"], "99");
    assert_eq!(settings["serveraliveinterval"], "5");
    assert!(settings["loglevel"].starts_with("DEBUG"), "{settings:?}");
    assert!(left_out.is_empty());
    assert!(!options.over_a_login().contains(['\'', '"']));
}

#[tokio::test]
async fn nothing_of_the_operators_computer_is_lent_to_a_machine() {
    let config =
        "Host *\n ForwardAgent yes\n ForwardX11 yes\n ForwardX11Trusted yes\n Tunnel yes\n";
    let (options, _) = Options::of(&[]).await.unwrap();
    let over_a_login = options.over_a_login();
    let over_a_login: Vec<_> = over_a_login.split_whitespace().map(OsString::from).collect();
    for args in [options.args(), over_a_login] {
        let ours = settings(config, &args).await;
        for (name, value) in [("forwardagent", "no"), ("forwardx11", "no"), ("tunnel", "false")] {
            assert_eq!(ours[name], value, "{name}");
        }
    }
    // A user who needs an agent on the machine, for example for pam_ssh_agent_auth, sets it in the
    // arguments.
    let (lent, _) = Options::of(&["-A".into()]).await.unwrap();
    assert_eq!(settings(config, &lent.args()).await["forwardagent"], "yes");
}

#[test]
fn an_older_ssh_is_not_given_what_it_does_not_know() {
    let names = |said: &str| fixed(Version::read(said)).len() - FIXED.len();
    assert_eq!(names("OpenSSH_8.4p1 Debian-5, OpenSSL 1.1.1n"), 0);
    assert_eq!(names("OpenSSH_9.2p1 Debian-2+deb12u6, OpenSSL 3.0.19"), 3);
    assert_eq!(names("OpenSSH_for_Windows_9.5p1, LibreSSL"), 0);
    assert_eq!(names("OpenSSH_10.0p2, OpenSSL 3.5.9"), 4);
    assert_eq!(names("dropbear"), 0);
}

/// Options that could add a key to the pinned one, or use another name for the machine.
const KEYS: &str = "Host *
  KnownHostsCommand /bin/echo host ssh-ed25519 AAAA
  UserKnownHostsFile /etc/others
  GlobalKnownHostsFile /etc/others
  StrictHostKeyChecking no
  VerifyHostKeyDNS yes
  NoHostAuthenticationForLocalhost yes
  HostKeyAlias another
";

#[tokio::test]
async fn no_setting_of_a_user_s_adds_a_key_to_a_pinned_one() {
    let (options, _) = Options::of(&[]).await.unwrap();
    let has_command = options.pinning().is_some();
    let folder = tempfile::tempdir().unwrap();
    let target = |host_key| {
        let (hostname, options) = ("host".into(), options.clone());
        let target = Target { hostname, user: None, port: None, options, host_key };
        let mut args = target.args(folder.path()).unwrap();
        args.truncate(args.len() - 2);
        args
    };
    let theirs = settings(KEYS, &target(None)).await;
    assert_eq!(theirs.contains_key("knownhostscommand"), has_command, "no trap: {theirs:?}");
    let ours = settings(KEYS, &target(Some("ssh-ed25519 AAAA".into()))).await;
    assert!(ours.get("knownhostscommand").is_none_or(|value| value == "none"), "{ours:?}");
    for (name, value) in [
        ("globalknownhostsfile", "/dev/null"),
        ("stricthostkeychecking", "true"),
        ("verifyhostkeydns", "false"),
        ("nohostauthenticationforlocalhost", "no"),
        ("hostkeyalias", PINNED),
    ] {
        assert_eq!(ours[name], value, "{name}");
    }
    assert!(ours["userknownhostsfile"].starts_with(folder.path().to_str().unwrap()));
}

#[test]
fn a_pinned_key_needs_nothing_of_an_older_ssh_that_it_does_not_have() {
    let of = |said: &str| Options { version: Version::read(said), ..Options::default() };
    assert_eq!(of("OpenSSH_8.4p1 Debian-5, OpenSSL 1.1.1n").pinning(), None);
    assert_eq!(of("OpenSSH_8.5p1, x").pinning(), Some("KnownHostsCommand=none"));
    assert_eq!(of("dropbear").pinning(), None);
}
