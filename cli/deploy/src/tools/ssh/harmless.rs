//! The options of `ssh` that a foreign flake may set. With them `ssh` runs no command on this
//! computer, writes no file, and gives the other side no access to anything.

use super::words::{Given, NotOptions};

/// The allowed options of one letter.
const LETTERS: &str = "46Ccimlpv";

/// The allowed options of ssh_config. `ProxyCommand`, `LocalCommand`, `KnownHostsCommand`,
/// `PKCS11Provider`, `Match exec` and `Include` run commands, ssh writes to `UserKnownHostsFile`,
/// and `ProxyJump` goes through a shell. Options of newer versions are not known here.
const WORDS: [&str; 20] = [
    "addressfamily",
    "ciphers",
    "compression",
    "connectionattempts",
    "connecttimeout",
    "hostkeyalgorithms",
    "identitiesonly",
    "identityfile",
    "ipqos",
    "kexalgorithms",
    "macs",
    "numberofpasswordprompts",
    "port",
    "preferredauthentications",
    "pubkeyacceptedalgorithms",
    "rekeylimit",
    "serveralivecountmax",
    "serveraliveinterval",
    "tcpkeepalive",
    "user",
];

/// The first option of a machine that is not allowed.
pub fn first_beyond(opts: &[String]) -> Result<Option<String>, NotOptions> {
    let given = Given::read(opts, "")?;
    Ok(given.words.into_iter().find(|word| !is_harmless(word)))
}

/// Whether an option is allowed. It has the form of [`Given`], with its value behind its letter.
fn is_harmless(word: &str) -> bool {
    let Some(option) = word.strip_prefix('-') else { return false };
    match option.strip_prefix('o') {
        None => option.starts_with(|letter| LETTERS.contains(letter)),
        Some(option) => {
            let name: String =
                option.chars().take_while(|c| !matches!(c, '=' | ' ' | '\t')).collect();
            WORDS.contains(&name.to_ascii_lowercase().as_str()) && !option.contains('\n')
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beyond(words: &[&str]) -> Option<String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        first_beyond(&words).unwrap()
    }

    #[test]
    fn what_runs_a_command_here_is_found_however_it_is_written() {
        for words in [
            &["-o", "ProxyCommand=sh -c x"] as &[&str],
            &["-oproxycommand sh"],
            &["-v4o", "PROXYCOMMAND\tsh"],
            &["-o", " ProxyCommand=x"],
            &["-o", "LocalCommand=x"],
            &["-o", "KnownHostsCommand=x"],
            &["-o", "PKCS11Provider=/x.so"],
            &["-o", "SecurityKeyProvider=/x.so"],
            &["-o", "IdentityAgent=/x"],
            &["-o", "Match exec x"],
            &["-o", "Include=/x"],
            &["-o", "UserKnownHostsFile=/x"],
            &["-o", "ProxyJump=a"],
            &["-o", "Port=22\nProxyCommand=x"],
            &["-o", "ForwardAgent=yes"],
            &["-o", "WhatComesTomorrow=x"],
            &["-F", "/x"],
            &["-I", "/x.so"],
            &["-J", "a"],
            &["-A"],
            &["-X"],
        ] {
            let harmless = [&["-p", "22", "-o", "Port=22"], words].concat();
            assert!(beyond(&harmless).is_some(), "{words:?}");
        }
    }

    #[test]
    fn what_only_says_how_to_connect_is_not() {
        let words = ["-4", "-vC", "-p2222", "-l", "root", "-i", "~/.ssh/k", "-o", "port 1"];
        assert_eq!(beyond(&words), None);
        assert_eq!(beyond(&["-oConnectTimeout=3", "-c", "aes128-ctr"]), None);
    }
}
