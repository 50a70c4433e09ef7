//! Command lines for a machine's shell.

/// Quotes a word for sh, with double quotes if possible. Such a word can be inside single quotes,
/// which every shell reads in the same way.
pub fn quote(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else if !word.contains(['"', '$', '`', '\\', '!']) && !word.contains('\'') {
        format!("\"{word}\"")
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Quotes words as a command line for sh.
pub fn line<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// A quote that is not closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a quote is not closed: {0}")]
pub struct OpenQuote(String);

/// Splits a text into words, like a shell.
pub fn split(text: &str) -> Result<Vec<String>, OpenQuote> {
    shell_words::split(text).map_err(|_| OpenQuote(text.to_owned()))
}

/// The first line that a command prints. Output before it comes from a start-up file.
pub const BEGINS: &str = "@deploy begins";

/// A command for a machine's login shell, whatever shell that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The line for the login shell: one word in single quotes, without characters that some shell
    /// treats differently (a quote, a backslash, `!`, a line break).
    /// `a_command_means_the_same_in_every_login_shell` proves it.
    pub line: String,
    /// The script, which the command's stdin begins with. POSIX sh reads exactly that much, and the
    /// rest is the script's own input.
    pub stdin: String,
}

/// Makes a command of a script for POSIX sh. Its first line on stdout is [`BEGINS`].
pub fn sent(script: &str) -> Sent {
    let stdin = format!("echo '{BEGINS}'\n{script}\n");
    Sent { line: format!("/bin/sh -c '{PATH}eval \"$(head -c {})\"'", stdin.len()), stdin }
}

/// The same, for a script that is not known yet when the command starts: the line, and what makes
/// the stdin of a script. The command does nothing before that stdin arrives.
pub fn sent_later() -> (String, impl Fn(&str) -> String) {
    let first = "read -r length; eval \"$(head -c \"$length\")\"\n";
    let line = format!("/bin/sh -c '{PATH}eval \"$(head -c {})\"'", first.len());
    let stdin = move |script: &str| {
        let script = format!("echo '{BEGINS}'\n{script}\n");
        format!("{first}{}\n{script}", script.len())
    };
    (line, stdin)
}

/// Makes a program for Nix of a command line for sh. Nix appends arguments and passes it to the
/// machine's login shell.
pub fn program(words: &str) -> String {
    format!("/bin/sh -c '{PATH}exec {words} \"$@\"' sh")
}

/// The same with [`BEGINS`] as the first line on stdout. It is for a Nix whose `ssh` skips that
/// line and the start-up files' output before it.
pub fn program_that_begins(words: &str) -> String {
    program(words).replacen(PATH, &format!("{PATH}echo {BEGINS}; "), 1)
}

/// Adds the folders in which NixOS and others keep sudo and Nix to the script's PATH.
pub fn with_path(script: &str) -> String {
    format!("{PATH}{script}")
}

/// Also sets the language. `deploy` recognises English messages, but a user's `SendEnv LANG LC_*`
/// would make sudo print another language.
const PATH: &str = "PATH=/run/wrappers/bin:/run/current-system/sw/bin:\
$PATH:/nix/var/nix/profiles/default/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH; \
unset LC_ALL LANGUAGE; LC_MESSAGES=C; export LC_MESSAGES; ";

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    use super::*;

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(line(["sudo", "-u", "a b"]), "sudo -u \"a b\"");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote(""), "\"\"");
        for word in ["a  b", "it's", "$HOME", "a\\b", "`x`", "!!", "\"", "a\nb", "é*"] {
            let script = format!("printf %s {}", quote(word));
            let out = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(out.stdout).unwrap(), word);
        }
    }

    /// The known shells that this computer has, at least two.
    fn shells() -> Vec<&'static str> {
        let has = |shell: &&str| Command::new(shell).args(["-c", "true"]).output().is_ok();
        let known = ["sh", "bash", "dash", "zsh", "ksh", "mksh", "fish", "tcsh", "csh", "nu"];
        let shells: Vec<_> = known.into_iter().filter(has).collect();
        assert!(shells.len() > 1, "{shells:?}");
        shells
    }

    /// The lab has all of them: `every-login-shell-deploys`.
    #[test]
    fn a_command_means_the_same_in_every_login_shell() {
        let hard = r#"printf '%s\n' "a  b" 'it'\''s $HOME \ ! é'; IFS= read -r x; echo "$x""#;
        let script = format!("{hard}\n# a comment\necho 'the end'");
        let (line_of_later, stdin_of) = sent_later();
        let later = Sent { line: line_of_later, stdin: stdin_of(&script) };
        for shell in shells() {
            for Sent { line, stdin } in [&sent(&script), &later] {
                let mut command = Command::new(shell);
                command.args(["-c", line]).stdin(Stdio::piped()).stdout(Stdio::piped());
                let mut child = command.spawn().unwrap();
                let mut input = child.stdin.take().unwrap();
                input.write_all(format!("{stdin}its own \\ input\n").as_bytes()).unwrap();
                drop(input);
                let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
                let told =
                    format!("{BEGINS}\na  b\nit's $HOME \\ ! é\nits own \\ input\nthe end\n");
                assert_eq!(said, told, "in {shell}");
            }
            let words = line_of_nix(&program(&line_of(&["printf", "<%s>", "", "a b"])));
            let ran = Command::new(shell).args(["-c", &words]).output().unwrap();
            assert_eq!(ran.stdout, b"<><a b><--stdio>", "in {shell}");
            let words = line_of_nix(&program_that_begins(&line_of(&["printf", "<%s>", "a b"])));
            let ran = Command::new(shell).args(["-c", &words]).output().unwrap();
            let told = format!("{BEGINS}\n<a b><--stdio>");
            assert_eq!(String::from_utf8(ran.stdout).unwrap(), told, "in {shell}");
        }
    }

    fn line_of(words: &[&str]) -> String {
        line(words.iter().copied())
    }

    /// Nix splits the program at blanks, appends arguments and joins it again.
    fn line_of_nix(program: &str) -> String {
        let words: Vec<_> = program.split_whitespace().chain(["--stdio"]).collect();
        words.join(" ")
    }
}
