//! qemu's command line. It is a pure function; its snapshots are what a Mac and a Linux computer
//! get. qemu runs in the machine's folder, so paths are relative and sockets short.

use super::{
    computer::{Acceleration, Computer, OperatingSystem},
    entry::{BOOT, BootEntry},
    image::VmImage,
    run::VmRun,
};

/// The file of the guest's serial console.
pub const CONSOLE: &str = "console.log";
/// The control socket of the process that keeps the machine.
pub const KEEPER_SOCKET: &str = "keeper.sock";
/// The control socket for everybody else.
pub const CONTROL_SOCKET: &str = "control.sock";
/// The disk with everything that the machine writes.
pub const DISK: &str = "disk.qcow2";
/// The image of the first system's store.
pub const STORE: &str = "store.img";

/// The arguments of qemu for one start of a machine.
pub fn arguments(
    name: &str,
    image: &VmImage,
    run: &VmRun,
    entry: &BootEntry,
    computer: &Computer,
) -> Vec<String> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut line = vec!["-name".to_owned(), name.to_owned()];
    line.extend(words("-no-user-config -nodefaults"));
    line.extend(machine(image, computer));
    line.extend(words(&format!("-cpu max -smp {} -m {}", run.cores, run.memory)));
    line.extend(words("-device virtio-rng-pci"));
    line.extend(words(&network(run)));
    line.extend(words(&format!(
        "-drive if=none,id=root,file={DISK},format=qcow2,discard=unmap \
         -device virtio-blk-pci,drive=root,serial=root \
         -drive if=none,id=store,file={STORE},format=raw,readonly=on \
         -device virtio-blk-pci,drive=store,serial=store"
    )));
    // The boot files. With a mapped model a link that the guest makes is no link here.
    line.extend(words(&format!(
        "-virtfs local,path={BOOT},mount_tag=boot,security_model=mapped-xattr"
    )));
    if let Some(key) = &run.key {
        // qemu reads the file; it is copied nowhere, and gone with the machine.
        let file = key.display().to_string().replace(',', ",,");
        line.extend(["-fw_cfg".into(), format!("name=opt/deploy/key,file={file}")]);
    }
    line.extend(screen(run, computer));
    line.extend(words(&format!(
        "-chardev file,id=console,path={CONSOLE},append=on -serial chardev:console \
         -qmp unix:{KEEPER_SOCKET},server=on,wait=off -qmp unix:{CONTROL_SOCKET},server=on,wait=off"
    )));
    // A restart ends qemu, because it would start the same kernel again, and not what the machine
    // has made its boot default meanwhile: `a-virtual-machine-boots-what-was-committed`.
    line.push("-no-reboot".into());
    let more = image.kernel_params.iter().map(String::as_str);
    let append: Vec<&str> = std::iter::once(entry.options.as_str()).chain(more).collect();
    line.extend([
        "-kernel".into(),
        entry.kernel.display().to_string(),
        "-initrd".into(),
        entry.initrd.display().to_string(),
        "-append".into(),
        append.join(" "),
    ]);
    line
}

fn machine(image: &VmImage, computer: &Computer) -> Vec<String> {
    let board = match (image.system.as_str(), computer.os) {
        ("aarch64-linux", OperatingSystem::MacOs) => "virt,gic-version=2",
        ("aarch64-linux", OperatingSystem::Linux) => "virt,gic-version=max",
        _ => "q35",
    };
    let accelerated = match computer.acceleration(&image.system) {
        Acceleration::Kvm => Some("kvm"),
        Acceleration::Hvf => Some("hvf"),
        Acceleration::Emulated(_) => None,
    };
    let mut line = vec!["-machine".to_owned(), board.to_owned()];
    // qemu takes the next one where the first does not work.
    for accelerator in accelerated.into_iter().chain(["tcg"]) {
        line.extend(["-accel".to_owned(), accelerator.to_owned()]);
    }
    line
}

fn network(run: &VmRun) -> String {
    let forwards: String = run
        .ports
        .iter()
        .map(|forward| format!(",hostfwd=tcp:127.0.0.1:{}-:{}", forward.here, forward.guest))
        .collect();
    format!("-netdev user,id=net{forwards} -device virtio-net-pci,netdev=net")
}

fn screen(run: &VmRun, computer: &Computer) -> Vec<String> {
    let words: &[&str] = match (run.graphic, computer.os) {
        (false, _) => &["-display", "none"],
        (true, os) => &[
            "-display",
            if os == OperatingSystem::MacOs { "cocoa" } else { "gtk" },
            "-device",
            "virtio-gpu-pci",
            "-device",
            "virtio-keyboard-pci",
            "-device",
            "virtio-tablet-pci",
        ],
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::computer::tests::{linux, mac},
        *,
    };

    fn image(system: &str) -> VmImage {
        let arch = system.trim_end_matches("-linux");
        VmImage {
            version: 1,
            system: system.into(),
            qemu: format!("/nix/store/qemu/bin/qemu-system-{arch}").into(),
            qemu_img: "/nix/store/qemu/bin/qemu-img".into(),
            make_store: "/nix/store/make-store".into(),
            boot: "/nix/store/boot".into(),
            kernel_params: vec!["deploy.registration=/nix/store/info/registration".into()],
            memory: 4096,
            cores: 4,
            disk: 20480,
            sites: Vec::new(),
            needs_key: false,
        }
    }

    fn line(system: &str, computer: &Computer, change: impl FnOnce(&mut VmRun)) -> String {
        let image = image(system);
        let entry = BootEntry {
            kernel: "boot/nixos/k-Image".into(),
            initrd: "boot/nixos/i-initrd".into(),
            options: "init=/nix/store/system/init console=ttyAMA0 loglevel=4".into(),
        };
        let ports = super::super::ports::with(&[]).unwrap();
        let mut run = VmRun::new(ports, image.memory, image.cores);
        change(&mut run);
        let line = arguments("frame1-vm", &image, &run, &entry, computer);
        // A flag and its values on a line of their own.
        line.iter().fold(String::new(), |text, word| {
            let apart = if text.is_empty() {
                ""
            } else if word.starts_with('-') {
                "\n"
            } else {
                " "
            };
            text + apart + word
        })
    }

    #[test]
    fn a_mac_with_apple_silicon() {
        insta::assert_snapshot!(line("aarch64-linux", &mac(), |_| ()));
    }

    #[test]
    fn a_linux_computer_with_kvm() {
        insta::assert_snapshot!(line("x86_64-linux", &linux(None), |_| ()));
    }

    #[test]
    fn what_flags_change() {
        let denied = linux(Some("/dev/kvm: Permission denied"));
        insta::assert_snapshot!(line("x86_64-linux", &denied, |run| {
            run.ports = super::super::ports::with(&["9443:443".parse().unwrap()]).unwrap();
            (run.memory, run.cores, run.graphic) = (2048, 2, true);
            run.key = Some("/home/me/a,b/id_ed25519".into());
        }));
    }

    #[test]
    fn a_mac_with_a_screen() {
        let line = line("aarch64-linux", &mac(), |run| run.graphic = true);
        assert!(line.contains("\n-display cocoa\n-device virtio-gpu-pci\n"), "{line}");
    }
}
