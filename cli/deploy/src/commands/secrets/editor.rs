//! Where the text of a secret comes from: a file, standard input or the user's editor.

use std::{
    fs::{File, OpenOptions},
    io::{self, IsTerminal, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::{
    args::TextArgs,
    error::{Failure, Result, State},
    secrets::{clear, rules::Rule},
    tools::{
        memory::MemoryFolder,
        process::Invocation,
        terminal::{Interrupt, Interrupts},
    },
};

/// A text that may become a secret's, and the folder in which it was edited.
pub struct Draft {
    /// The text.
    pub text: Zeroizing<Vec<u8>>,
    edited: Option<(MemoryFolder, PathBuf)>,
}

/// Whether an editor is what the text comes from.
pub fn is_wanted(args: &TextArgs) -> bool {
    args.from.is_none() && io::stdin().is_terminal()
}

/// The text that stands in the file, or on standard input.
pub fn given(args: &TextArgs, rule: &Rule) -> Result<Draft> {
    let (from, text) = match &args.from {
        Some(file) => (file.display().to_string(), File::open(file).and_then(clear::read)),
        None => ("standard input".to_owned(), clear::read(io::stdin().lock())),
    };
    let text = text.map_err(|error| unchanged(rule).because(format!("{from}: {error}")))?;
    if text.is_empty() {
        return Err(unchanged(rule).because(format!("{from} is empty")).hint(Some(
            "a secret has a text; deploy secrets rm removes one that nobody needs".into(),
        )));
    }
    Ok(Draft { text, edited: None })
}

/// What the user's editor makes of `text`. It is on no disk meanwhile, unless that was asked for.
pub async fn edited(args: &TextArgs, rule: &Rule, text: &[u8]) -> Result<Draft> {
    let told = |error: io::Error| unchanged(rule).because(error);
    let folder = match MemoryFolder::make().await.map_err(told)? {
        Some(folder) => folder,
        None if args.text_on_disk => MemoryFolder::on_disk().map_err(told)?,
        None => {
            return Err(unchanged(rule)
                .because("no file system of this computer is in memory, and the text must not come on a disk")
                .hint(Some("--text-on-disk lets it, or give the text on standard input".into())));
        }
    };
    let name = rule.path.file_stem().unwrap_or_default();
    let file = folder.path().join(name);
    match edit(&file, text, rule).await {
        Ok(text) => Ok(Draft { text, edited: Some((folder, file)) }),
        // What was written before the editor failed is not lost.
        Err(failure) if is_changed(&file, text) => {
            let draft = Draft { text: Zeroizing::default(), edited: Some((folder, file)) };
            Err(draft.kept(failure, rule))
        }
        Err(failure) => {
            let gone = folder.remove().await;
            Err(match gone {
                Ok(()) => failure,
                Err(error) => failure.because(format!("its folder could not be removed: {error}")),
            })
        }
    }
}

async fn edit(file: &Path, text: &[u8], rule: &Rule) -> Result<Zeroizing<Vec<u8>>> {
    let told = |error: io::Error| unchanged(rule).because(format!("{}: {error}", file.display()));
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    made.and_then(|mut made| made.write_all(text)).map_err(told)?;
    let editor = std::env::var_os("EDITOR").filter(|editor| !editor.is_empty());
    let editor = editor.unwrap_or_else(|| "vi".into()).to_string_lossy().into_owned();
    run(&editor, file, rule).await?;
    let text = File::open(file).and_then(clear::read).map_err(told)?;
    if text.is_empty() {
        return Err(unchanged(rule).because("the text is empty"));
    }
    Ok(text)
}

/// The shell divides it into words, as git has it: `code --wait`, `'/opt/my editor/ed' -n`.
async fn run(editor: &str, file: &Path, rule: &Rule) -> Result<()> {
    let told = |why: String| unchanged(rule).because(why);
    let program =
        Invocation::new("/bin/sh").args(["-c", &format!("{editor} \"$@\""), editor]).arg(file);
    let mut interrupts = Interrupts::listen().map_err(|error| told(error.to_string()))?;
    let running = program.on_terminal();
    tokio::pin!(running);
    let status = loop {
        tokio::select! {
            status = &mut running => break status.map_err(|error| told(error.to_string()))?,
            interrupt = interrupts.next() => match interrupt {
                // The editor gets it too, and knows what is meant.
                Interrupt::CtrlC => {}
                Interrupt::Terminated | Interrupt::HungUp => {
                    return Err(told(format!("{interrupt} while the editor was open")));
                }
            },
        }
    };
    if status.success() {
        return Ok(());
    }
    Err(told(format!("the editor `{editor}` ended with {status}"))
        .hint(Some("EDITOR names another one, with arguments as in a shell".into())))
}

fn is_changed(file: &Path, before: &[u8]) -> bool {
    let now = File::open(file).and_then(clear::read);
    now.is_ok_and(|now| !now.is_empty() && *now != before)
}

fn unchanged(rule: &Rule) -> Box<Failure> {
    Failure::unchanged(format!("the secret {} was not changed", rule.name))
}

impl Draft {
    /// Removes the folder in which it was edited.
    pub async fn remove(self) -> io::Result<()> {
        match self.edited {
            Some((folder, _)) => folder.remove().await,
            None => Ok(()),
        }
    }

    /// Leaves an edit where it is, and says so: it is not lost.
    pub fn kept(self, failure: Box<Failure>, rule: &Rule) -> Box<Failure> {
        let Some((folder, file)) = self.edited else { return failure };
        let folder = folder.keep();
        let (file, name) = (file.display(), &rule.name);
        failure
            .state(State::Changed(format!(
                "the secret is as it was; what you wrote is kept in {file}, in clear text"
            )))
            .hint(Some(format!(
                "go on with it: deploy secrets edit {name} --from {file}; then remove it: rm -r {}",
                folder.display()
            )))
    }
}
