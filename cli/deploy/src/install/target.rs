//! What is on the disks of a computer before it is restarted.

use deploy_wire::store_path::StorePath;

use crate::tools::{answer::Answer, shell};

/// The script that prints it. `host_key` is the path of the private host key on the machine. Changes
/// nothing, but writes out what is in memory.
pub fn script(host_key: &str) -> String {
    format!("KEY={}\n{SCRIPT}", shell::quote(host_key))
}

// Links in the new system are as it sees them, below /mnt.
const SCRIPT: &str = r#"profiles=/nix/var/nix/profiles
link=$(readlink "/mnt$profiles/system")
case $link in /* | '') ;; *) link=$profiles/$link ;; esac
echo "@system $(readlink "/mnt$link")"
echo "@key $(cat "/mnt$KEY.pub" 2>/dev/null)"
echo "@private $(stat -c '%a %u' "/mnt$KEY" 2>/dev/null)"
sync
echo '@installed end'"#;

/// What the script printed.
#[derive(Debug, PartialEq, Eq)]
pub struct InstalledFacts {
    system: String,
    key: String,
    private: String,
    is_whole: bool,
}

impl InstalledFacts {
    /// Reads the output.
    pub fn read(text: &str) -> Self {
        let answer = Answer::read(text);
        let word = |key: &str| answer.word(key).unwrap_or_default().to_owned();
        Self {
            system: word("system"),
            key: word("key"),
            private: word("private"),
            is_whole: answer.has("installed"),
        }
    }

    /// Whether it is this system with this host key. The error says what it is instead.
    pub fn refuse_unless(&self, system: &StorePath, public: &str) -> Result<(), String> {
        let Self { system: is, key, private, is_whole } = self;
        let or_nothing =
            |text: &str| if text.is_empty() { "nothing".into() } else { text.to_owned() };
        if !is_whole {
            return Err("its answer was cut short".into());
        }
        if is != system.as_str() {
            return Err(format!("the profile there leads to {}, not to {system}", or_nothing(is)));
        }
        if key != public {
            return Err(format!("the host key there is {}, not {public}", or_nothing(key)));
        }
        if private != "600 0" {
            let is = or_nothing(private);
            return Err(format!("the private host key there has mode and owner {is}, not 600 0"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEM: &str = "/nix/store/00000000000000000000000000000000-nixos-system-frame1";
    const SAID: &str = "@system /nix/store/00000000000000000000000000000000-nixos-system-frame1\n\
                        @key ssh-ed25519 A\n@private 600 0\n@installed end\n";

    fn said(from: &str, to: &str) -> Result<(), String> {
        let text = SAID.replace(from, to);
        let system = StorePath::parse(SYSTEM).unwrap();
        InstalledFacts::read(&text).refuse_unless(&system, "ssh-ed25519 A")
    }

    #[test]
    fn only_what_was_built_is_started() {
        assert_eq!(said("", ""), Ok(()));
        let other = said("system-frame1", "system-frame2").unwrap_err();
        assert!(
            other.contains(
                "leads to /nix/store/00000000000000000000000000000000-nixos-system-frame2"
            )
        );
        let none = said(&format!("@system {SYSTEM}"), "@system ").unwrap_err();
        assert!(none.contains("leads to nothing"), "{none}");
        assert!(
            said("25519 A", "25519 B").unwrap_err().contains("the host key there is ssh-ed25519 B")
        );
        assert!(said("600 0", "644 0").unwrap_err().contains("mode and owner 644 0, not 600 0"));
        assert!(said("@installed end", "").unwrap_err().contains("cut short"));
    }
}
