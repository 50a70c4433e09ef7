//! The arguments with which a login asks nobody anything.

use std::ffi::OsString;

use super::Target;
use crate::tools::private;

impl Target {
    /// The arguments with which `ssh` fails where it would ask for a password, a passphrase, a PIN
    /// or a host key, and uses no key that has to be touched. `None` if another program stands
    /// between, which might ask: a `ProxyCommand`, or the `ssh` of a `ProxyJump`.
    pub async fn args_that_ask_nothing(&self) -> Option<Vec<OsString>> {
        let folder = private::for_this_run().ok()?;
        read(&self.settings(folder.path()).await?)
    }
}

/// Reads what `ssh -G` prints.
fn read(settings: &str) -> Option<Vec<OsString>> {
    let all: Vec<(&str, &str)> = settings.lines().filter_map(|line| line.split_once(' ')).collect();
    let is_between = |(name, value): &(&str, &str)| {
        ["proxyjump", "proxycommand"].contains(name) && *value != "none"
    };
    if all.iter().any(is_between) {
        return None;
    }
    // BatchMode does not keep `ssh` from using a key of a security key, which has to be touched.
    // OpenSSH before 8.5 has the first name.
    let names = ["pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms"];
    let (name, accepted) = all.iter().find(|(name, _)| names.contains(name))?;
    let untouched: Vec<&str> = accepted.split(',').filter(|each| !each.contains("sk-")).collect();
    if untouched.is_empty() {
        return None;
    }
    // With `AddKeysToAgent ask`, BatchMode asks nevertheless.
    let options = [
        "BatchMode=yes".to_owned(),
        "AddKeysToAgent=no".to_owned(),
        format!("{name}={}", untouched.join(",")),
    ];
    Some(options.into_iter().flat_map(|option| ["-o".into(), option.into()]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(settings: &str) -> Option<String> {
        let words = read(settings)?;
        Some(words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_key_that_has_to_be_touched_and_another_program_between_are_not_used() {
        let accepted = "pubkeyacceptedalgorithms ssh-ed25519-cert-v01@openssh.com,\
            sk-ssh-ed25519-cert-v01@openssh.com,ssh-ed25519,sk-ssh-ed25519@openssh.com,\
            webauthn-sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512";
        assert_eq!(
            args(&format!("host frame1\n{accepted}\nproxycommand none\n")).unwrap(),
            "-o BatchMode=yes -o AddKeysToAgent=no -o pubkeyacceptedalgorithms=\
             ssh-ed25519-cert-v01@openssh.com,ssh-ed25519,rsa-sha2-512"
        );
        for between in ["proxyjump bastion", "proxycommand cloudflared access ssh"] {
            assert_eq!(args(&format!("{between}\n{accepted}\n")), None, "{between}");
        }
        assert_eq!(args("pubkeyacceptedkeytypes sk-ssh-ed25519@openssh.com\n"), None);
        assert_eq!(args("host frame1\n"), None, "an ssh that does not say");
    }
}
