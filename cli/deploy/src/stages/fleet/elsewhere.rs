//! A flake from another computer, which somebody may plan before they have read it.

use deploy_wire::machine::{BuildPlace, Machine};

use super::source::folder;
use crate::{
    error::{Failure, Result},
    tools::ssh,
};

/// Which options of `ssh` a flake may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SshOptions {
    /// All: the flake is a folder on this computer, or the command line allows it.
    Any,
    /// Only options that run no command on this computer.
    Harmless,
}

impl SshOptions {
    /// By the flake's reference and the URL that Nix resolves it to.
    pub fn of(flake: &str, url: &str, allowed: bool) -> Self {
        let is_here = folder(flake).is_some() || folder(url).is_some();
        if allowed || is_here { Self::Any } else { Self::Harmless }
    }

    /// Refuses a machine whose options may run a command on this computer.
    pub fn allow(self, machine: &Machine, flake: &str) -> Result<()> {
        if self == Self::Any {
            return Ok(());
        }
        let name = &machine.name;
        let refused = |what: String| {
            Err(Failure::unchanged(what)
                .because(format!(
                    "`{flake}` is no folder of this computer, and that may run a command here"
                ))
                .hint(Some(
                    "read it first; --allow-ssh-opts takes it as it is, --ssh-opts others".into(),
                )))
        };
        // A word that is not an option is refused at the login, with its own message.
        if let Ok(Some(option)) = ssh::first_beyond(&machine.ssh.opts) {
            return refused(format!("the ssh option `{option}` of {name} is not taken"));
        }
        match &machine.build.place {
            BuildPlace::Host(store) if store.contains("://") || store.starts_with('-') => {
                refused(format!("the builder `{store}` of {name} is not taken"))
            }
            BuildPlace::Host(_) | BuildPlace::Local | BuildPlace::Target => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_of_this_computer_is_taken_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().to_str().unwrap();
        let of = |flake: &str, url: &str| SshOptions::of(flake, url, false);
        assert_eq!(of(here, ""), SshOptions::Any);
        assert_eq!(of("my-registry-name", &format!("git+file://{here}?rev=1")), SshOptions::Any);
        for elsewhere in ["github:a/b", "git+ssh://host/x", "file:///x.tar.gz", "path:/not/there"] {
            assert_eq!(of(elsewhere, elsewhere), SshOptions::Harmless, "{elsewhere}");
            assert_eq!(SshOptions::of(elsewhere, elsewhere, true), SshOptions::Any);
        }
    }
}
