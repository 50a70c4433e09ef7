use super::*;
use crate::tools::place::Place;

/// The answer of an installer that was started by UEFI, with two disks; `sda` is empty.
pub const INSTALLER: &str = r#"
@connection 10.77.0.10 50022 10.77.0.11 22
@machine x86_64
@host nixos
@file osRelease
|ID=nixos
|PRETTY_NAME="NixOS 26.05 (Yarara)"
|VARIANT_ID="installer"
@endfile
@root tmpfs
@memory 4017196
@efi yes
@file blocks
|{"blockdevices": [
|  {"name":"/dev/sda", "type":"disk", "size":500107862016, "ro":false, "model":"Samsung SSD",
|   "fstype":null, "label":null, "pttype":null, "mountpoints":[null]},
|  {"name":"/dev/sdb", "type":"disk", "size":16008609792, "ro":false, "model":"Ultra",
|   "fstype":"iso9660", "label":"nixos", "pttype":"dos", "mountpoints":["/iso"], "children":[
|     {"name":"/dev/sdb1", "type":"part", "size":1048576, "ro":false, "model":null,
|      "fstype":"iso9660", "label":"nixos", "pttype":"dos", "mountpoints":[null]}]}
|]}
|
@endfile
@file wanted
|/dev/sda	/dev/disk/by-id/ata-A
@endfile
@file ids
|/dev/sda	/dev/disk/by-id/ata-A
|/dev/sda	/dev/disk/by-id/wwn-0x1
|/dev/sdb	/dev/disk/by-id/usb-Ultra
@endfile
@wired enp1s0
@facts end
"#;

#[test]
fn what_an_installer_says_of_itself_is_read() {
    let facts = ComputerFacts::read(INSTALLER).unwrap();
    assert!(facts.is_installer() && facts.uefi, "{facts:?}");
    assert_eq!((facts.memory, facts.port), (Some(3923), Some(22)));
    assert_eq!(facts.device("/dev/disk/by-id/ata-A").unwrap().name, "/dev/sda");
    assert_eq!(facts.device("/dev/disk/by-id/ata-B"), None);
    assert_eq!(
        facts.disks(),
        [
            "/dev/sda (500 GB, Samsung SSD): /dev/disk/by-id/ata-A, /dev/disk/by-id/wwn-0x1",
            "/dev/sdb (16 GB, Ultra): /dev/disk/by-id/usb-Ultra",
        ]
    );
    let cut = INSTALLER.replace("@facts end", "");
    assert_eq!(ComputerFacts::read(&cut).unwrap_err(), "its answer was cut short");
    let damaged = INSTALLER.replace("|]}", "|]");
    assert!(ComputerFacts::read(&damaged).unwrap_err().starts_with("lsblk there: "));
}

#[test]
fn an_installer_is_one_by_its_name_and_by_its_root() {
    for (from, to) in [("VARIANT_ID=\"installer\"", "VARIANT_ID="), ("@root tmpfs", "@root ext4")] {
        let facts = ComputerFacts::read(&INSTALLER.replace(from, to)).unwrap();
        assert!(!facts.is_installer(), "{to}");
    }
}

#[tokio::test]
async fn this_computer_answers_the_script() {
    let folder = tempfile::tempdir().unwrap();
    let device = folder.path().join("a b");
    std::fs::write(&device, "").unwrap();
    let devices = format!("{}\n/dev/none", device.display());
    let said = Place::Here.run(&script(&devices), "").await.unwrap();
    let facts = ComputerFacts::read(&said).unwrap();
    let real = device.canonicalize().unwrap().display().to_string();
    assert_eq!(facts.wanted, [(device.display().to_string(), real)]);
    assert!(!facts.is_installer() && !facts.uname.is_empty(), "{facts:?}");
}
