//! Command lines for the shell of a machine.

/// One word, quoted so that every shell (sh, bash, zsh, fish) reads it as is.
pub fn quote(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Words as one command line.
pub fn line<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// `script` as a command for any login shell: POSIX sh runs it, with the places
/// where NixOS and others keep sudo and Nix on PATH. A login shell that is not
/// POSIX, or a PATH that lacks `/run/wrappers/bin`, would break it otherwise.
pub fn sh(script: &str) -> String {
    format!("/bin/sh -c {}", quote(&format!("{PATH}{script}")))
}

const PATH: &str = "PATH=/run/wrappers/bin:/run/current-system/sw/bin:\
$PATH:/nix/var/nix/profiles/default/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH; ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(line(["sudo", "-u", "a b"]), "sudo -u 'a b'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote(""), "''");
        let out =
            std::process::Command::new("sh").arg("-c").arg(sh("echo 'a  b'")).output().unwrap();
        assert_eq!(out.stdout, b"a  b\n");
    }
}
