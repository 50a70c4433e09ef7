use serde_json::json;

use super::*;
use crate::install::{
    facts::tests::INSTALLER,
    wish::{WantedDisk, tests::frame1},
};

fn machine() -> Machine {
    let path = "/nix/store/00000000000000000000000000000000-x";
    Machine::from_json(json!({
        "version": 1, "name": "frame1", "system": "x86_64-linux", "hostName": "frame1",
        "toplevel": { "drv": format!("{path}.drv"), "out": path }, "ssh": { "hostname": "frame1" },
    }))
    .unwrap()
}

fn wish() -> InstallWish {
    InstallWish::read("frame1", frame1()).unwrap()
}

/// What is said of a computer whose answer differs from the usual one in these places.
fn fit_of(wish: &InstallWish, wipe: Wipe, changes: &[(&str, &str)]) -> Result<Fit> {
    let text = changes.iter().fold(INSTALLER.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    let facts = ComputerFacts::read(&text).unwrap();
    Fitting { machine: &machine(), host: "10.0.0.9", wish, wipe }.fit(&facts)
}

fn refused(changes: &[(&str, &str)]) -> String {
    fit_of(&wish(), Wipe::No, changes).unwrap_err().to_string()
}

const RUNNING: [(&str, &str); 4] = [
    ("@root tmpfs", "@root ext4"),
    ("VARIANT_ID=\"installer\"", "ID_LIKE=x"),
    ("NixOS 26.05 (Yarara)", "Debian 13"),
    ("@host nixos", "@host nas"),
];

#[test]
fn an_installer_with_an_empty_disk_is_taken() {
    let Fit { is_installer, disks } = fit_of(&wish(), Wipe::No, &[]).unwrap();
    assert!(is_installer);
    let [disk] = disks.as_slice() else { panic!("{disks:?}") };
    assert_eq!((disk.path.as_str(), disk.bytes), ("/dev/sda", 500_107_862_016));
    assert_eq!((disk.name.as_str(), disk.contents.len()), ("main", 0));
}

#[test]
fn a_running_system_is_refused_unless_its_loss_was_typed_out() {
    let other = refused(&RUNNING);
    assert!(other.contains("frame1 is not installed on 10.0.0.9"), "{other}");
    assert!(other.contains("it runs Debian 13 from ext4, and calls itself `nas`"), "{other}");
    assert!(other.contains("--wipe frame1 goes on"), "{other}");
    let fit = fit_of(&wish(), Wipe::Agreed, &RUNNING).unwrap();
    assert!(!fit.is_installer);
    assert_eq!(fit.disks[0].path, "/dev/sda");
}

#[test]
fn a_machine_that_is_installed_already_is_said_to_be() {
    let mut running = RUNNING;
    running[3].1 = "@host frame1";
    let said = refused(&running);
    assert!(said.contains("error: frame1 is installed already"), "{said}");
    assert!(said.contains("deploy frame1 brings it the flake's system"), "{said}");
}

#[test]
fn hardware_that_does_not_fit_is_refused() {
    let platform = refused(&[("@machine x86_64", "@machine aarch64")]);
    assert!(platform.contains("it is for x86_64-linux, `uname -m` on 10.0.0.9 says aarch64"));
    let memory = refused(&[("@memory 4017196", "@memory 500000")]);
    assert!(memory.contains("10.0.0.9 has 488 MiB of memory"), "{memory}");
    // A computer with 1 GiB says a little less.
    assert!(fit_of(&wish(), Wipe::No, &[("@memory 4017196", "@memory 983040")]).is_ok());
    let mut grub_for_bios = wish();
    grub_for_bios.uefi = false;
    let firmware = fit_of(&grub_for_bios, Wipe::No, &[]).unwrap_err().to_string();
    assert!(firmware.contains("started by UEFI, and the boot loader of frame1 starts from a BIOS"));
    assert!(fit_of(&grub_for_bios, Wipe::No, &[("@efi yes\n", "")]).is_ok());
    let mut systemd_boot = wish();
    systemd_boot.bios = false;
    let firmware = fit_of(&systemd_boot, Wipe::No, &[("@efi yes\n", "")]).unwrap_err();
    assert!(firmware.to_string().contains("started by a BIOS"), "{firmware}");
    let (mut of_a_board, no_efi) = (wish(), [("@efi yes\n", "")]);
    (of_a_board.uefi, of_a_board.bios) = (false, false);
    assert!(fit_of(&of_a_board, Wipe::No, &no_efi).is_ok());
    let lacks = refused(&[("@wired enp1s0", "@lacks nixos-install\n@lacks tar")]);
    assert!(lacks.contains("lacks nixos-install, tar"), "{lacks}");
}

#[test]
fn a_machine_that_would_not_be_found_again_is_refused() {
    let wireless = [("@wired enp1s0", "@wireless wlp2s0")];
    let said = refused(&wireless);
    assert!(said.contains("is reached over Wi-Fi (wlp2s0) and has no cable"), "{said}");
    let cable = [("@wired enp1s0", "@wireless wlp2s0\n@wired enp1s0")];
    assert!(fit_of(&wish(), Wipe::No, &cable).is_ok());
    let mut with_wifi = wish();
    with_wifi.wireless = true;
    assert!(fit_of(&with_wifi, Wipe::No, &wireless).is_ok());
}

#[test]
fn a_disk_that_is_not_there_is_refused_with_those_that_are() {
    let none = refused(&[(
        "|/dev/sda\t/dev/disk/by-id/ata-A\n@endfile\n@file ids",
        "@endfile\n@file ids",
    )]);
    let why = "disko.devices.disk.main is /dev/disk/by-id/ata-A, and there is no such disk";
    assert!(none.contains(why), "{none}");
    assert!(
        none.contains("/dev/sda (500 GB, Samsung SSD): /dev/disk/by-id/ata-A, /dev/disk/by-id/wwn")
    );
    let partition = refused(&[(
        "|/dev/sda\t/dev/disk/by-id/ata-A\n@endfile\n@file ids",
        "|/dev/sdb1\t/dev/disk/by-id/ata-A\n@endfile\n@file ids",
    )]);
    assert!(partition.contains("which is a partition there"), "{partition}");
    let read_only = refused(&[("\"size\":500107862016, \"ro\":false", "\"size\":1, \"ro\":true")]);
    assert!(read_only.contains("which nothing can be written to"), "{read_only}");
    let mut twice = wish();
    twice.disks.push(WantedDisk { name: "second".into(), device: "/dev/sda".into() });
    let both = [(
        "@file ids",
        "@file wanted\n|/dev/sda\t/dev/sda\n|/dev/sda\t/dev/disk/by-id/ata-A\n@endfile\n@file ids",
    )];
    let same = fit_of(&twice, Wipe::No, &both).unwrap_err().to_string();
    assert!(same.contains("main and second of disko.devices.disk are one disk there"), "{same}");
}

#[test]
fn what_is_on_a_disk_is_lost_only_where_that_was_typed_out() {
    let used = [(
        "\"fstype\":null, \"label\":null, \"pttype\":null, \"mountpoints\":[null]}",
        "\"fstype\":\"ext4\", \"label\":\"data\", \"pttype\":null, \"mountpoints\":[\"/mnt\"]}",
    )];
    let said = refused(&used);
    assert!(said.contains("cause: /dev/sda ext4 `data`, mounted at /mnt"), "{said}");
    assert!(said.contains("--wipe frame1 goes on, and all of it is lost"), "{said}");
    let Fit { disks, .. } = fit_of(&wish(), Wipe::Agreed, &used).unwrap();
    assert_eq!(disks[0].contents, ["/dev/sda ext4 `data`, mounted at /mnt"]);
    let stick = [(
        "|/dev/sda\t/dev/disk/by-id/ata-A\n@endfile\n@file ids",
        "|/dev/sdb\t/dev/disk/by-id/ata-A\n@endfile\n@file ids",
    )];
    let own = fit_of(&wish(), Wipe::Agreed, &stick).unwrap_err().to_string();
    assert!(own.contains("which the installer uses: it is mounted at /iso"), "{own}");
}
