use super::*;

/// Writes files of a tree, each with a text; a folder's name ends with `/`.
fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, LinuxDisks) {
    let top = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = top.path().join(name);
        if name.ends_with('/') {
            fs::create_dir_all(&file).unwrap();
            continue;
        }
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let at = |name: &str| top.path().join(name);
    let disks =
        LinuxDisks { sys: at("sys"), proc: at("proc"), dev: "/dev".into(), udev: at("udev") };
    (top, disks)
}

const STICK: [(&str, &str); 9] = [
    ("sys/block/sdb/removable", "1\n"),
    ("sys/block/sdb/size", "60062500\n"),
    ("sys/block/sdb/ro", "0\n"),
    ("sys/block/sdb/dev", "8:16\n"),
    ("sys/block/sdb/device/type", "0\n"),
    ("sys/block/sdb/device/vendor", "SanDisk \n"),
    ("sys/block/sdb/device/model", "Ultra           \n"),
    ("sys/block/sdb/sdb1/partition", "1\n"),
    ("sys/block/sdb/sdb1/dev", "8:17\n"),
];

fn with(files: &[(&'static str, &'static str)]) -> Vec<FoundDisk> {
    let all: Vec<_> = STICK.iter().chain(files).copied().collect();
    let (_top, disks) = tree(&all);
    disks.look().unwrap()
}

const NONE: (&str, &str) = ("proc/self/mountinfo", "");

#[test]
fn a_stick_is_found_with_what_is_on_it() {
    let mount = "90 23 8:17 / /media/my\\040stick rw - vfat /dev/sdb1 rw\n";
    let disks = with(&[
        ("proc/self/mountinfo", mount),
        ("sys/block/sdb/sdb1/size", "60060452\n"),
        ("udev/b8:17", "E:ID_FS_TYPE=vfat\nE:ID_FS_LABEL=DATA\n"),
    ]);
    let [disk] = disks.as_slice() else { panic!("{disks:?}") };
    assert_eq!(disk.model, "SanDisk Ultra");
    assert_eq!(disk.bytes, 60_062_500 * 512);
    assert!(disk.is_offered() && disk.needed_for.is_none());
    assert_eq!(
        disk.volumes,
        [Volume {
            name: "sdb1".into(),
            bytes: 60_060_452 * 512,
            kind: Some("vfat".into()),
            label: Some("DATA".into()),
            mounted: vec!["/media/my stick".into()],
        }]
    );
}

#[test]
fn what_is_no_hardware_or_no_disk_is_not_there() {
    let disks = with(&[
        NONE,
        ("sys/block/loop0/size", "100\n"),
        ("sys/block/zram0/size", "100\n"),
        ("sys/block/sr0/removable", "1\n"),
        ("sys/block/sr0/device/type", "5\n"),
    ]);
    assert_eq!(disks.iter().map(|disk| disk.name.as_str()).collect::<Vec<_>>(), ["sdb"]);
}

#[test]
fn a_card_and_a_disk_on_a_cable_can_be_taken_away_and_an_inner_disk_cannot() {
    let disks = with(&[
        NONE,
        ("sys/block/mmcblk0/removable", "0\n"),
        ("sys/block/mmcblk0/device/type", "SD\n"),
        ("sys/block/mmcblk0/device/name", "SC16G\n"),
        ("sys/block/nvme0n1/removable", "0\n"),
        ("sys/block/nvme0n1/device/model", "WD Black\n"),
    ]);
    let removable: Vec<_> = disks.iter().map(|disk| (disk.name.as_str(), disk.removable)).collect();
    assert_eq!(removable, [("mmcblk0", true), ("nvme0n1", false), ("sdb", true)]);
    assert_eq!(disks[0].model, "SC16G");
    // A link of sysfs leads through the bus.
    let (top, looked) = tree(&[NONE, ("sys/devices/usb3/3-1/block/sdc/device/model", "Case\n")]);
    fs::create_dir_all(top.path().join("sys/block")).unwrap();
    let target = top.path().join("sys/devices/usb3/3-1/block/sdc");
    std::os::unix::fs::symlink(target, top.path().join("sys/block/sdc")).unwrap();
    assert!(looked.look().unwrap()[0].removable);
}

#[test]
fn a_disk_that_this_computer_needs_is_known_however_it_uses_it() {
    let needed = |files: &[(&'static str, &'static str)]| with(files)[0].needed_for.clone();
    assert_eq!(needed(&[NONE]), None);
    let by_numbers = ("proc/self/mountinfo", "23 1 8:17 / / rw - ext4 /dev/root rw\n");
    assert_eq!(needed(&[by_numbers]).unwrap(), "/");
    let by_name = ("proc/self/mountinfo", "23 1 0:45 /@ /nix rw - btrfs /dev/sdb1 rw\n");
    assert_eq!(needed(&[by_name]).unwrap(), "/nix");
    let swap = ("proc/swaps", "Filename\n/dev/sdb1 partition 1 0 -2\n");
    assert_eq!(needed(&[NONE, swap]).unwrap(), "swap");
    // Encryption, and LVM in it.
    let above = [
        ("proc/self/mountinfo", "23 1 253:1 / / rw - ext4 /dev/mapper/vg-root rw\n"),
        ("sys/block/sdb/sdb1/holders/dm-0/", ""),
        ("sys/block/dm-0/holders/dm-1/", ""),
        ("sys/block/dm-1/dev", "253:1\n"),
    ];
    let disks = with(&above);
    assert_eq!(disks[0].needed_for.as_deref(), Some("/"));
    assert_eq!(disks[0].holders, ["dm-0", "dm-1"]);
}
