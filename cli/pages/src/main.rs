//! Writes the manual pages and completions of `deploy`, which are made from its command line, below
//! the folder `share`. That folder is the one argument.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};
use deploy::args::CommandLine;

/// Each shell, and the file in which it looks for a package's completions. The script asks the
/// program itself, which knows the names of the user's secrets too.
const COMPLETIONS: [(&dyn EnvCompleter, &str); 3] = [
    (&Bash, "bash-completion/completions/deploy"),
    (&Zsh, "zsh/site-functions/_deploy"),
    (&Fish, "fish/vendor_completions.d/deploy.fish"),
];

/// The variable by which `deploy` knows that a shell asks.
const ASKS: &str = "DEPLOY_COMPLETE";

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
        let file = share.join(inside);
        folder(Path::new(inside).parent().and_then(Path::to_str).unwrap_or_default())?;
        let mut script = Vec::new();
        shell.write_registration(ASKS, "deploy", "deploy", "deploy", &mut script)?;
        fs::write(&file, script).with_context(|| file.display().to_string())?;
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
        for (shell, file) in COMPLETIONS {
            let text = read(file);
            let asks = format!("{ASKS}=");
            assert!(text.contains(&asks) && text.contains("deploy"), "{}: {text}", shell.name());
        }
        fs::remove_dir_all(share).unwrap();
    }
}
