//! The machine's side of a world.

use anyhow::Result;
use deploy_lab::hosts::Host;
use deploy_lab::systems::Loader;
use deploy_lab::tables::worlds::{Axis, World};

use super::operator::tmp;

/// The user of a world, and the command that makes them root.
pub struct User {
    pub name: &'static str,
    pub home: &'static str,
    pub sudo: Option<&'static str>,
}

impl User {
    pub fn of(world: &World) -> Self {
        let (name, home, sudo) = match world.of(Axis::Root) {
            "root" => ("root", "/root", None),
            "sudo" => ("admin", "/home/admin", None),
            "sudo, password" => ("askadmin", "/home/askadmin", None),
            "doas" => ("admin", "/home/admin", Some("doas -u")),
            _ => ("admin", "/home/admin", Some("sudo-rs -u")),
        };
        Self { name, home, sudo }
    }
}

/// The boot loader's files are in /boot while the machine boots, and in /efi afterwards.
const EFI: &str = "systemd-boot in /efi";
const TO_EFI: &str = "mkdir -p /efi; mount --bind /dev/lab-boot /efi; umount /boot";

/// How such a system installs its boot loader: the lab's builder only knows /boot.
const INTO_EFI: &str = "[ ! -d /efi/loader ] || { mount --bind /efi /boot; \
                        perl $1/boot-loader/systemd-boot $1; umount /boot; }";

/// A script at the end of the boot loader's installation.
pub fn loader_step(world: &World) -> &'static str {
    if world.has((Axis::Loader, EFI)) { INTO_EFI } else { "" }
}

/// The boot loader, and what its installation needs in /boot.
pub fn loader(world: &World) -> (Loader, &'static str) {
    match world.of(Axis::Loader) {
        "extlinux" => (Loader::Extlinux, "rm -r /boot/*"),
        "systemd-boot" | EFI => (Loader::SystemdBoot, "rm -r /boot/*"),
        _ => (Loader::Grub, ":"),
    }
}

/// Sets up what survives a boot: the login and the way to root.
pub fn set_up(frame1: &Host, world: &World) -> Result<()> {
    let User { name, home, .. } = User::of(world);
    let shell = world.of(Axis::Shell);
    let mut script = "echo 'permit nopass admin as root' > /etc/doas.conf; \
                      chmod 0400 /etc/doas.conf; "
        .to_owned();
    let program = match world.of(Axis::Umask) {
        "022" => format!("/usr/bin/{shell}"),
        umask => {
            // The wrapper has the shell's name, because a shell acts by its name.
            let wrapper = format!("#!/bin/sh\\numask {umask}\\nexec /usr/bin/{shell} \"$@\"\\n");
            script += &format!(
                "mkdir -p /opt/world; printf '{wrapper}' > /opt/world/{shell}; \
                 chmod 0755 /opt/world/{shell}; "
            );
            format!("/opt/world/{shell}")
        }
    };
    script += &format!("usermod --shell {program} {name}; ");
    if world.of(Axis::StartUp) == "noisy" {
        let file = match shell {
            "bash" => ".bashrc",
            "zsh" => ".zshenv",
            "fish" => ".config/fish/config.fish",
            "tcsh" => ".tcshrc",
            // These shells read no start-up file for a command of ssh.
            _ => ".ssh/rc",
        };
        script += &format!(
            "mkdir -p $(dirname {home}/{file}); \
             echo 'echo welcome to frame1; printf \"load: \"' > {home}/{file}; \
             chown -R {name}: {home}; "
        );
    }
    frame1.sh(&script)?;
    frame1.sync()
}

/// Sets up what a boot removes.
pub fn set_up_until_boot(frame1: &Host, world: &World) -> Result<()> {
    if world.has((Axis::Loader, EFI)) {
        frame1.sh(TO_EFI)?;
    }
    tmp(frame1, world.of(Axis::MachineTmp))
}
