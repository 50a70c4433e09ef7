//! The command with which the login user becomes root, as users write it: deploy-rs's `sudo -u`,
//! doas, run0.

use super::refusal::is_of_sudo_rs;

/// The kind of a command, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootCommand {
    /// sudo, or sudo-rs, which may be installed as `sudo`.
    Sudo,
    /// doas.
    Doas,
    /// systemd's run0.
    Run0,
    /// Another command. `deploy` appends a command line to it, and knows nothing else about it.
    Other,
}

/// Why a command cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRoot {
    /// The command is empty.
    #[error("the command to become root with is empty")]
    Empty,
    /// The command becomes another user.
    #[error("`{command}` becomes {user}, and the agent has to run as root")]
    OtherUser {
        /// The command.
        command: String,
        /// The user.
        user: String,
    },
    /// The command goes through a shell, or runs no command.
    #[error("`{command}` cannot be used: {why}")]
    Unfit {
        /// The command.
        command: String,
        /// The reason.
        why: &'static str,
    },
    /// The command asks for a password and cannot read one.
    #[error("{program} wants a password and cannot be given one: {why}")]
    NoPassword {
        /// The program.
        program: String,
        /// The reason.
        why: &'static str,
    },
}

/// Why a command is unfit.
const SHELL: &str = "a shell in between reads the command once more";
const NO_COMMAND: &str = "it does not run the command and wait for its end";

/// A parsed command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Become {
    /// The words of the command, with a user where the program needs one.
    pub words: Vec<String>,
    /// The kind of the command.
    pub kind: RootCommand,
}

/// The kind of the first word.
pub fn kind(words: &[String]) -> RootCommand {
    match name(words) {
        "sudo" | "sudo-rs" => RootCommand::Sudo,
        "doas" => RootCommand::Doas,
        "run0" => RootCommand::Run0,
        _ => RootCommand::Other,
    }
}

fn name(words: &[String]) -> &str {
    words.first().and_then(|program| program.rsplit('/').next()).unwrap_or_default()
}

const TERMINAL: &str = "it reads one from a terminal alone";
/// Such a program fills a buffer, which would swallow the first request to the agent or the first
/// bytes of Nix.
const MORE: &str = "it reads more than that from a pipe";

/// Whether the command reads a password, and no more, from stdin, as sudo does with `-S`. `said` is
/// its output without a password; sudo-rs may be installed as `sudo`, but prints its own name.
/// `doas-and-sudo-rs-deploy` proves it.
pub fn reads_a_password(words: &[String], said: &str) -> Result<(), NotRoot> {
    let not = |program: &str, why| Err(NotRoot::NoPassword { program: program.to_owned(), why });
    match (kind(words), name(words)) {
        (RootCommand::Sudo, name) if name == "sudo-rs" || is_of_sudo_rs(said) => {
            not("sudo-rs", MORE)
        }
        (RootCommand::Sudo, _) => Ok(()),
        (_, name) => not(name, TERMINAL),
    }
}

/// Parses `words`. A `-u` at the end, as deploy-rs has it, means root.
pub fn read(words: &[String]) -> Result<Become, NotRoot> {
    let kind = kind(words);
    let command = || words.join(" ");
    let unfit = |why| NotRoot::Unfit { command: command(), why };
    let (short, long): (&str, &[&str]) = match (kind, name(words)) {
        (_, "") => return Err(NotRoot::Empty),
        (_, "su") => return Err(unfit(SHELL)),
        // The letters that take a value, and the long options whose value is the next word.
        (RootCommand::Sudo, _) => {
            ("CDgphRrTtUu", &["--user", "--group", "--chdir", "--prompt", "--host"])
        }
        (RootCommand::Doas, _) => ("Cu", &[]),
        (RootCommand::Run0, _) => {
            ("ugDp", &["--user", "--group", "--chdir", "--unit", "--property"])
        }
        (RootCommand::Other, "runuser") => ("ugG", &["--user", "--group"]),
        (RootCommand::Other, _) => return Ok(Become { words: words.to_vec(), kind }),
    };
    let mut users = Vec::new();
    let mut rest = words[1..].iter();
    let mut missing = false;
    while let Some(word) = rest.next() {
        if word == "--" || !word.starts_with('-') {
            break;
        }
        if word.starts_with("--") {
            let (option, value) = word
                .split_once('=')
                .map_or((word.as_str(), None), |(o, v)| (o, Some(v.to_owned())));
            if matches!(option, "--login" | "--shell") {
                return Err(unfit(SHELL));
            }
            if matches!(option, "--background" | "--edit" | "--list" | "--validate") {
                return Err(unfit(NO_COMMAND));
            }
            let value = value.or_else(|| long.contains(&option).then(|| rest.next().cloned())?);
            missing |= option == "--user" && value.is_none();
            users.extend(value.filter(|_| option == "--user"));
            continue;
        }
        for (at, letter) in word.char_indices().skip(1) {
            match letter {
                'i' | 's' => return Err(unfit(SHELL)),
                'b' | 'e' | 'l' | 'v' | 'K' | 'L' => return Err(unfit(NO_COMMAND)),
                _ if !short.contains(letter) => continue,
                _ => {}
            }
            let value = match &word[at + 1..] {
                "" => rest.next().cloned(),
                value => Some(value.to_owned()),
            };
            missing |= letter == 'u' && value.is_none();
            users.extend(value.filter(|_| letter == 'u'));
            break;
        }
    }
    if let Some(user) = users.into_iter().find(|user| !["root", "0", "#0"].contains(&&**user)) {
        return Err(NotRoot::OtherUser { command: command(), user });
    }
    let root = missing.then(|| "root".to_owned());
    Ok(Become { words: words.iter().cloned().chain(root).collect(), kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Become, NotRoot> {
        let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
        read(&words)
    }

    #[test]
    fn every_spelling_of_root_is_understood() {
        for (given, expected) in [
            ("sudo", "sudo"),
            ("sudo -u", "sudo -u root"),
            ("sudo -u root", "sudo -u root"),
            ("sudo -uroot", "sudo -uroot"),
            ("sudo -H --user", "sudo -H --user root"),
            ("sudo -Hu", "sudo -Hu root"),
            ("sudo --user=root -E", "sudo --user=root -E"),
            ("sudo -u #0", "sudo -u #0"),
            ("sudo -g wheel -u", "sudo -g wheel -u root"),
            ("/run/wrappers/bin/sudo-rs -u", "/run/wrappers/bin/sudo-rs -u root"),
            ("doas", "doas"),
            ("doas -u", "doas -u root"),
            ("run0", "run0"),
            ("run0 --user", "run0 --user root"),
            ("run0 -u root", "run0 -u root"),
            ("runuser -u", "runuser -u root"),
            ("sudo env -u", "sudo env -u"),
            ("/opt/become-root -u", "/opt/become-root -u"),
        ] {
            assert_eq!(of(given).unwrap().words.join(" "), expected);
            let once = of(given).unwrap().words;
            assert_eq!(read(&once).unwrap().words, once, "read twice");
        }
    }

    #[test]
    fn what_does_not_run_the_agent_as_root_is_refused_by_name() {
        for (given, says) in [
            ("", "the command to become root with is empty"),
            ("sudo -u joe", "`sudo -u joe` becomes joe, and the agent has to run as root"),
            ("sudo --user=joe", "becomes joe"),
            ("doas -ujoe", "becomes joe"),
            ("sudo -i", "`sudo -i` cannot be used: a shell in between"),
            ("sudo -u root -s", "a shell in between"),
            ("sudo -nHi", "a shell in between"),
            ("doas -s", "a shell in between"),
            ("su -c", "`su -c` cannot be used: a shell in between"),
            ("sudo -b", "does not run the command and wait"),
            ("sudo --list", "does not run the command and wait"),
        ] {
            let refused = of(given).unwrap_err().to_string();
            assert!(refused.contains(says), "{given}: {refused}");
        }
    }

    #[test]
    fn only_sudo_is_given_a_password() {
        let reads = |word: &str| reads_a_password(&[word.to_owned()], "sudo: a password");
        assert_eq!(reads("/run/wrappers/bin/sudo"), Ok(()));
        let named_sudo = reads_a_password(&["sudo".into()], "sudo-rs: interactive auth");
        assert_eq!(named_sudo, reads("sudo-rs"));
        assert!(named_sudo.unwrap_err().to_string().contains("reads more than that"));
        for program in ["doas", "/usr/bin/run0", "pkexec", "become-root"] {
            let refused = reads(program).unwrap_err().to_string();
            let name = program.rsplit('/').next().unwrap();
            assert!(refused.starts_with(&format!("{name} wants a password")), "{refused}");
        }
    }
}
