//! The user's arguments for `ssh`, split like a shell and read like `ssh`.

use crate::tools::shell::{self, OpenQuote};

/// The arguments that the user gave.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// The arguments that are passed to `ssh`.
    pub words: Vec<String>,
    /// The arguments that are left out, each with the reason.
    pub left_out: Vec<String>,
}

/// Why arguments are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOptions {
    /// NIX_SSHOPTS has a quote that is not closed.
    #[error("NIX_SSHOPTS cannot be read: {0}")]
    OpenQuote(#[from] OpenQuote),
    /// `ssh` would take the word for the address or for the command.
    #[error("`{word}` in {place} is no option of ssh: it would be taken for the host to log in to")]
    NoOption {
        /// The source of the arguments.
        place: &'static str,
        /// The word.
        word: String,
    },
    /// The option keeps `ssh` from running a command on the machine.
    #[error("`-{flag}` in {place} cannot be used: {why}")]
    Unfit {
        /// The source of the arguments.
        place: &'static str,
        /// The option.
        flag: char,
        /// The reason.
        why: &'static str,
    },
}

/// The sources of arguments.
const OPTS: &str = "the ssh options of the machine";
const INHERITED: &str = "NIX_SSHOPTS";

/// The options of one letter that take a value, from ssh(1). `P` takes one in newer versions.
const WITH_VALUE: &str = "BbcDEeFIiJLlmOoPpQRSWw";

/// The options that are left out, because `deploy` does not need them.
const USELESS: [(char, &str); 9] = [
    ('t', "sudo's password is asked here, no terminal is needed there"),
    ('T', "no terminal is asked for anyway"),
    ('q', "why a login fails is what ssh says"),
    ('f', "ssh ends with deploy"),
    ('n', "what is asked goes over standard input"),
    ('L', "nothing is forwarded"),
    ('R', "nothing is forwarded"),
    ('D', "nothing is forwarded"),
    ('w', "nothing is forwarded"),
];

/// The options that are refused.
const UNFIT: [(char, &str); 11] = [
    ('N', "no command would run on the machine"),
    ('s', "no command would run on the machine"),
    ('W', "no command would run on the machine"),
    ('G', "ssh would only print its settings"),
    ('Q', "ssh would only print what it knows"),
    ('V', "ssh would only print its version"),
    ('O', "it is a command for another ssh"),
    ('M', "deploy shares its connection itself"),
    ('S', "deploy shares its connection itself"),
    ('E', "deploy has to read what ssh says"),
    ('y', "deploy has to read what ssh says"),
];

impl Given {
    /// Reads a machine's options, which are words, and NIX_SSHOPTS, which is a text.
    pub fn read(opts: &[String], inherited: &str) -> Result<Self, NotOptions> {
        let mut given = Self::default();
        given.add(opts, OPTS)?;
        given.add(&shell::split(inherited)?, INHERITED)?;
        Ok(given)
    }

    fn add(&mut self, words: &[String], place: &'static str) -> Result<(), NotOptions> {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let Some(letters) = word.strip_prefix('-').filter(|letters| is_option(letters)) else {
                return Err(NotOptions::NoOption { place, word: word.clone() });
            };
            self.letters(letters, &mut words, place)?;
        }
        Ok(())
    }

    /// Reads one word, which may have several letters. The last of them may take a value.
    fn letters<'a>(
        &mut self,
        letters: &str,
        words: &mut impl Iterator<Item = &'a String>,
        place: &'static str,
    ) -> Result<(), NotOptions> {
        for (at, flag) in letters.char_indices() {
            let rest = &letters[at + flag.len_utf8()..];
            let mut word = format!("-{flag}");
            let has_value = WITH_VALUE.contains(flag);
            if has_value {
                // If the value is missing, ssh says so.
                let next =
                    if rest.is_empty() { words.next().map(String::as_str) } else { Some(rest) };
                word.push_str(next.unwrap_or_default());
            }
            if let Some((_, why)) = UNFIT.iter().find(|(unfit, _)| *unfit == flag) {
                return Err(NotOptions::Unfit { place, flag, why });
            }
            match USELESS.iter().find(|(useless, _)| *useless == flag) {
                Some((_, why)) => {
                    let note = format!("-{flag} in {place} is left out: {why}");
                    if !self.left_out.contains(&note) {
                        self.left_out.push(note);
                    }
                }
                None => self.words.push(word),
            }
            if has_value {
                break;
            }
        }
        Ok(())
    }
}

/// Whether the letters are an option. `--` ends the options, and a host follows.
fn is_option(letters: &str) -> bool {
    !letters.is_empty() && !letters.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Given, NotOptions> {
        Given::read(&shell::split(text)?, "")
    }

    #[test]
    fn words_are_divided_as_a_shell_does_it() {
        let words = |text: &str| of(text).unwrap().words;
        assert_eq!(words(r#"-o "ProxyCommand=nc HOST 9""#), ["-oProxyCommand=nc HOST 9"]);
        assert_eq!(
            words(r"-o 'ProxyCommand=nc HOST 9' -p 22"),
            ["-oProxyCommand=nc HOST 9", "-p22"]
        );
        assert_eq!(words(r"-i /a\ b -4C"), ["-i/a b", "-4", "-C"]);
        assert_eq!(words("-vvp2222 -J a,b"), ["-v", "-v", "-p2222", "-Ja,b"]);
        assert_eq!(words(""), <[&str; 0]>::default());
        // A word of a flake that contains an option and its value, as users of deploy-rs write it.
        assert_eq!(Given::read(&["-p 2212".into()], "").unwrap().words, ["-p 2212"]);
    }

    #[test]
    fn a_word_that_would_become_the_host_is_refused() {
        for text in ["-o ProxyCommand=nc HOST 9", "host", "-4 -- host", "-p 22 host -v", "-", "''"]
        {
            let refused = of(text).unwrap_err();
            assert!(matches!(refused, NotOptions::NoOption { .. }), "{text}: {refused}");
        }
        let refused = Given::read(&[], "-p 22 host").unwrap_err().to_string();
        assert!(refused.starts_with("`host` in NIX_SSHOPTS is no option of ssh"), "{refused}");
    }

    #[test]
    fn a_quote_that_is_not_closed_is_refused() {
        for text in ["-o 'a", "-o \"a"] {
            let refused = Given::read(&[], text).unwrap_err().to_string();
            assert_eq!(
                refused,
                format!("NIX_SSHOPTS cannot be read: a quote is not closed: {text}")
            );
        }
    }

    #[test]
    fn a_terminal_is_left_out_and_told_once() {
        let given = of("-tt -A -vt -L8080:localhost:80 -R 1:b:2 -n").unwrap();
        assert_eq!(given.words, ["-A", "-v"]);
        assert_eq!(given.left_out.len(), 4, "{given:?}");
        assert!(
            given.left_out[0].starts_with("-t in the ssh options of the machine is left out: ")
        );
    }

    #[test]
    fn an_option_with_which_nothing_runs_is_refused_by_name() {
        for (text, flag) in [("-N", 'N'), ("-fN", 'N'), ("-S none", 'S'), ("-4W a:1", 'W')] {
            let refused = of(text).unwrap_err();
            assert!(matches!(refused, NotOptions::Unfit { flag: it, .. } if it == flag), "{text}");
        }
    }
}
