//! A flake that is on another computer: somebody plans it before having read it.

use deploy_wire::machine::{BuildPlace, Machine};

use super::source::folder;
use crate::{
    error::{Failure, Result},
    tools::ssh,
};

/// Whose options of `ssh` are taken as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SshOptions {
    /// All: the flake is a folder of this computer, or the command line says so.
    Any,
    /// Those that run no command here.
    Harmless,
}

impl SshOptions {
    /// Of a flake, by its reference and by what Nix made of that.
    pub fn of(flake: &str, url: &str, allowed: bool) -> Self {
        let is_here = folder(flake).is_some() || folder(url).is_some();
        if allowed || is_here { Self::Any } else { Self::Harmless }
    }

    /// Refuses a machine whose options may run a command here.
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
        // What is no option at all is refused at the login, in its own words.
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
