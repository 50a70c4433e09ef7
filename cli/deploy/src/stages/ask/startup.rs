//! Start-up files on a machine that print something at every login.

use std::fmt::Write;

/// How many characters of it are shown.
const SHOWN: usize = 60;

/// The note about start-up files, if they print anything. `shell` is the login shell, from `SHELL`
/// on the machine.
pub fn printed(noise: &str, shell: Option<&str>) -> Option<String> {
    let first = noise.lines().map(str::trim).find(|line| !line.is_empty())?;
    let mut shown: String = first.chars().filter(|each| !each.is_control()).take(SHOWN).collect();
    if noise.trim() != shown {
        shown.push('…');
    }
    let mut text = format!("a start-up file there prints `{shown}` at every login");
    let _ = write!(text, ", probably {}", probably(shell));
    Some(text)
}

/// The files that a shell reads for a command of `ssh`.
fn probably(shell: Option<&str>) -> &'static str {
    match shell.and_then(|shell| shell.rsplit('/').next()) {
        Some("bash") => "~/.bashrc or /etc/bashrc",
        Some("zsh") => "~/.zshenv or /etc/zshenv",
        Some("fish") => "~/.config/fish/config.fish or /etc/fish/config.fish",
        Some("tcsh" | "csh") => "~/.tcshrc, ~/.cshrc or /etc/csh.cshrc",
        Some("nu") => "~/.config/nushell/env.nu",
        Some("xonsh") => "~/.xonshrc",
        _ => "~/.ssh/rc or /etc/ssh/sshrc",
    }
}

#[cfg(test)]
mod tests {

    fn printed(noise: &str, shell: Option<&str>) -> String {
        super::printed(noise, shell).unwrap()
    }

    #[test]
    fn what_a_start_up_file_prints_is_told_with_its_probable_name() {
        let told = printed("\nwelcome to frame1\n", Some("/run/current-system/sw/bin/fish"));
        assert!(told.starts_with("a start-up file there prints `welcome to frame1` at every"));
        assert!(told.contains("probably ~/.config/fish/config.fish"), "{told}");
        let told = printed(&format!("\x1b[31m{}\nb\n", "a".repeat(99)), Some("/bin/bash"));
        assert!(told.contains(&format!("`[31m{}…`", "a".repeat(56))), "{told}");
        assert!(!told.contains('\x1b') && told.contains("~/.bashrc"), "{told}");
        assert_eq!(super::printed("\n \n", None), None);
        assert!(printed("x", None).contains("~/.ssh/rc"));
    }
}
