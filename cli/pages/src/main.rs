//! Writes the manual pages and completions of `deploy`, which are made from its command line, below
//! the folder `share`. That folder is the one argument.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::{Shell, generate_to};
use deploy::args::CommandLine;

/// The folders in which each shell looks for a package's completions.
const COMPLETIONS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash-completion/completions"),
    (Shell::Zsh, "zsh/site-functions"),
    (Shell::Fish, "fish/vendor_completions.d"),
];

fn main() -> Result<()> {
    let share = std::env::args_os().nth(1).context("usage: deploy-pages FOLDER")?;
    write(Path::new(&share))
}

fn write(share: &Path) -> Result<()> {
    let folder = |inside: &str| -> Result<_> {
        let folder = share.join(inside);
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        Ok(folder)
    };
    let manual = folder("man/man1")?;
    clap_mangen::generate_to(CommandLine::command().disable_help_subcommand(true), &manual)?;
    for (shell, inside) in COMPLETIONS {
        let file = generate_to(shell, &mut CommandLine::command(), "deploy", folder(inside)?)?;
        // bash looks for this name.
        if shell == Shell::Bash {
            fs::rename(&file, file.with_file_name("deploy"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_and_every_shell_a_completion() {
        let share = std::env::temp_dir().join(format!("deploy-pages-{}", std::process::id()));
        write(&share).unwrap();
        let read = |file: &str| fs::read_to_string(share.join(file)).expect(file);
        let page = read("man/man1/deploy.1");
        for command in CommandLine::command().get_subcommands() {
            let name = command.get_name();
            assert!(page.contains(&format!("deploy\\-{name}")), "deploy(1) lacks {name}");
            assert!(read(&format!("man/man1/deploy-{name}.1")).contains(".TH"));
        }
        for file in [
            "bash-completion/completions/deploy",
            "zsh/site-functions/_deploy",
            "fish/vendor_completions.d/deploy.fish",
        ] {
            let text = read(file);
            for word in ["rollback", "confirm-timeout"] {
                assert!(text.contains(word), "{file} lacks {word}");
            }
        }
        fs::remove_dir_all(share).unwrap();
    }
}
