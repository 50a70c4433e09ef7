//! nixos-anywhere's command lines. It is started once for each phase, so that it is known which one
//! ended badly; what it prints decides nothing.

use std::path::{Path, PathBuf};

use deploy_wire::store_path::StorePath;

use crate::tools::process::Invocation;

/// The name of the program, and of its package in nixpkgs.
pub const PROGRAM: &str = "nixos-anywhere";

/// A phase of nixos-anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallPhase {
    /// Starts an installer in place of a running system.
    Kexec,
    /// Partitions, formats and mounts the disks.
    Disko,
    /// Copies the system and the host key, and installs the boot loader.
    Install,
    /// Restarts the computer.
    Reboot,
}

impl InstallPhase {
    /// What nixos-anywhere calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Kexec => "kexec",
            Self::Disko => "disko",
            Self::Install => "install",
            Self::Reboot => "reboot",
        }
    }

    /// What it does, for people.
    pub fn does(self) -> &'static str {
        match self {
            Self::Kexec => "starting an installer in place of the running system",
            Self::Disko => "partitioning and formatting the disks",
            Self::Install => "copying the system and installing the boot loader",
            Self::Reboot => "restarting",
        }
    }
}

/// What is installed, and where.
#[derive(Debug, Clone)]
pub struct Installation {
    /// The program.
    pub program: PathBuf,
    /// The script that makes the disks.
    pub disko: StorePath,
    /// The system.
    pub system: StorePath,
    /// The folder with the files that are put there besides.
    pub files: PathBuf,
    /// `root@HOST`.
    pub target: String,
    /// Options of ssh, as `Name=value`, without blanks.
    pub ssh: Vec<String>,
    /// The private key to log in with, where no login is shared.
    pub identity: Option<PathBuf>,
    /// The port, where no login is shared and it is not ssh's own.
    pub port: Option<u16>,
    /// Whether the installer first looks for paths in its own substituters.
    pub substitute: bool,
}

impl Installation {
    /// The arguments for a phase.
    pub fn args(&self, phase: InstallPhase) -> Vec<String> {
        let text = |path: &Path| path.display().to_string();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let mut args: Vec<String> = words(&[
            "--phases",
            phase.word(),
            // It would ask Nix what could be built where; all is built.
            "--build-on",
            "local",
            "--store-paths",
            self.disko.as_str(),
            self.system.as_str(),
        ]);
        if phase == InstallPhase::Install {
            args.extend(["--extra-files".to_owned(), text(&self.files)]);
        }
        if !self.substitute {
            args.push("--no-substitute-on-destination".to_owned());
        }
        if let Some(identity) = &self.identity {
            args.extend(["-i".to_owned(), text(identity)]);
        }
        if let Some(port) = self.port {
            args.extend(["--ssh-port".to_owned(), port.to_string()]);
            args.extend(["--post-kexec-ssh-port".to_owned(), "22".to_owned()]);
        }
        args.extend(self.ssh.iter().flat_map(|option| ["--ssh-option".to_owned(), option.clone()]));
        args.extend(["--target-host".to_owned(), self.target.clone()]);
        args
    }

    /// The command line of a phase. What it prints is on stderr.
    pub fn invocation(&self, phase: InstallPhase) -> Invocation {
        Invocation::new("/bin/sh")
            .args(["-c", "exec \"$0\" \"$@\" 1>&2"])
            .arg(&self.program)
            .args(self.args(phase))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> StorePath {
        StorePath::parse(&format!("/nix/store/00000000000000000000000000000000-{name}")).unwrap()
    }

    /// As nixos-anywhere documents them in its `--help`.
    #[test]
    fn each_phase_has_its_own_command_line() {
        let mut installation = Installation {
            program: "nixos-anywhere".into(),
            disko: path("disko"),
            system: path("system"),
            files: "/run/user/1000/deploy-x/files".into(),
            target: "root@192.168.2.50".into(),
            ssh: vec!["ControlPath=/run/user/1000/deploy-x/s".into(), "ControlMaster=no".into()],
            identity: None,
            port: None,
            substitute: true,
        };
        let line = |installation: &Installation, phase| installation.args(phase).join(" ");
        insta::assert_snapshot!(line(&installation, InstallPhase::Disko), @"--phases disko --build-on local --store-paths /nix/store/00000000000000000000000000000000-disko /nix/store/00000000000000000000000000000000-system --ssh-option ControlPath=/run/user/1000/deploy-x/s --ssh-option ControlMaster=no --target-host root@192.168.2.50");
        insta::assert_snapshot!(line(&installation, InstallPhase::Install), @"--phases install --build-on local --store-paths /nix/store/00000000000000000000000000000000-disko /nix/store/00000000000000000000000000000000-system --extra-files /run/user/1000/deploy-x/files --ssh-option ControlPath=/run/user/1000/deploy-x/s --ssh-option ControlMaster=no --target-host root@192.168.2.50");
        installation.substitute = false;
        insta::assert_snapshot!(line(&installation, InstallPhase::Reboot), @"--phases reboot --build-on local --store-paths /nix/store/00000000000000000000000000000000-disko /nix/store/00000000000000000000000000000000-system --no-substitute-on-destination --ssh-option ControlPath=/run/user/1000/deploy-x/s --ssh-option ControlMaster=no --target-host root@192.168.2.50");
    }

    /// A connection over a login would end with the system that it leads to.
    #[test]
    fn a_running_system_is_left_with_a_key_of_its_own() {
        let installation = Installation {
            program: "nixos-anywhere".into(),
            disko: path("disko"),
            system: path("system"),
            files: "".into(),
            target: "root@nas".into(),
            ssh: Vec::new(),
            identity: Some("/run/user/1000/deploy-x/key".into()),
            port: Some(2222),
            substitute: true,
        };
        let line = installation.args(InstallPhase::Kexec).join(" ");
        insta::assert_snapshot!(line, @"--phases kexec --build-on local --store-paths /nix/store/00000000000000000000000000000000-disko /nix/store/00000000000000000000000000000000-system -i /run/user/1000/deploy-x/key --ssh-port 2222 --post-kexec-ssh-port 22 --target-host root@nas");
    }

    #[tokio::test]
    async fn what_it_prints_is_passed_on_and_its_arguments_stay_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("a program");
        std::fs::write(&program, "#!/bin/sh\nfor word; do echo \"<$word>\"; done\n").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&program, mode).unwrap();
        let installation = Installation {
            program,
            disko: path("disko"),
            system: path("system"),
            files: "/a b".into(),
            target: "root@[fe80::1]".into(),
            ssh: Vec::new(),
            identity: None,
            port: None,
            substitute: true,
        };
        let mut said = Vec::new();
        let invocation = installation.invocation(InstallPhase::Install);
        invocation.watched(|line| said.push(line.to_owned())).await.unwrap();
        assert!(said.contains(&"</a b>".to_owned()), "{said:?}");
        assert_eq!(said.last().map(String::as_str), Some("<root@[fe80::1]>"));
    }
}
