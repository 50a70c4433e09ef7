use serde_json::{Value, json};

use super::*;

/// The answers of a Mac with its own disk, and a stick.
fn answers(list: Value, root: Value, disks: [Value; 2]) -> DiskutilAnswers {
    let text = |value: Value| value.to_string().into_bytes();
    DiskutilAnswers { list: text(list), root: text(root), disks: disks.map(text).into() }
}

fn list() -> Value {
    json!({ "AllDisks": ["disk0", "disk0s2", "disk3", "disk3s1", "disk4", "disk4s1"],
        "AllDisksAndPartitions": [
            { "DeviceIdentifier": "disk0", "Size": 500_277_792_768_u64,
              "Content": "GUID_partition_scheme", "OSInternal": false, "Partitions": [
                { "DeviceIdentifier": "disk0s2", "Content": "Apple_APFS", "Size": 494_384_795_648_u64 } ] },
            { "DeviceIdentifier": "disk3", "Size": 494_384_795_648_u64,
              "APFSPhysicalStores": [ { "DeviceIdentifier": "disk0s2" } ],
              "APFSVolumes": [ { "DeviceIdentifier": "disk3s1", "MountPoint": "/",
                "VolumeName": "Macintosh HD", "Size": 494_384_795_648_u64 } ] },
            { "DeviceIdentifier": "disk4", "Size": 30_752_000_000_u64,
              "Content": "FDisk_partition_scheme", "Partitions": [
                { "DeviceIdentifier": "disk4s1", "Content": "DOS_FAT_32", "VolumeName": "DATA",
                  "MountPoint": "/Volumes/DATA", "Size": 30_751_000_000_u64 } ] } ] })
}

fn inner() -> Value {
    json!({ "MediaName": "APPLE SSD AP0512Q", "RemovableMediaOrExternalDevice": false,
        "WritableMedia": true, "ParentWholeDisk": "disk0" })
}

fn stick() -> Value {
    json!({ "MediaName": "SanDisk Ultra", "RemovableMediaOrExternalDevice": true,
        "WritableMedia": true, "ParentWholeDisk": "disk4" })
}

fn root(store: &str) -> Value {
    json!({ "ParentWholeDisk": "disk3", "APFSPhysicalStores": [ { "APFSPhysicalStore": store } ] })
}

#[test]
fn a_mac_s_disks_are_found_with_what_is_on_them() {
    let disks = answers(list(), root("disk0s2"), [inner(), stick()]).disks().unwrap();
    let [own, other] = disks.as_slice() else { panic!("{disks:?}") };
    assert_eq!((own.name.as_str(), own.needed_for.as_deref()), ("disk0", Some("/")));
    assert!(
        !own.removable
            && own.volumes.iter().any(|volume| volume.mounted == [std::path::PathBuf::from("/")])
    );
    assert_eq!(other.raw, std::path::Path::new("/dev/rdisk4"));
    assert!(other.is_offered() && other.volumes[0].label.as_deref() == Some("DATA"));
}

#[test]
fn a_mac_that_runs_from_a_disk_on_a_cable_needs_it() {
    let disks = answers(list(), root("disk4s1"), [inner(), stick()]).disks().unwrap();
    assert_eq!(disks[1].needed_for.as_deref(), Some("/"));
    assert!(!disks[1].is_offered());
}

#[test]
fn an_image_that_is_open_is_no_disk() {
    let mut image = stick();
    image["VirtualOrPhysical"] = "Virtual".into();
    let disks = answers(list(), root("disk0s2"), [inner(), image]).disks().unwrap();
    assert_eq!(disks.len(), 1);
}

#[test]
fn what_diskutil_prints_instead_is_told() {
    let mut answers = answers(list(), root("disk0s2"), [inner(), stick()]);
    answers.list = b"Could not find disk".to_vec();
    assert!(answers.disks().unwrap_err().starts_with("unexpected output of diskutil list: "));
}

#[test]
fn the_command_lines_of_a_mac() {
    let lines = [asking(&["info", "-plist", "disk4"]), unmounting("disk4"), ejecting("disk4")];
    let lines = lines.map(|one| {
        let args = one.args.iter().map(|arg| arg.to_string_lossy().into_owned());
        let all: Vec<String> =
            std::iter::once(one.program.display().to_string()).chain(args).collect();
        all.join(" ")
    });
    insta::assert_snapshot!(lines.join("\n"), @r#"
    /bin/sh -c diskutil "$@" | plutil -convert json -o - - diskutil info -plist disk4
    diskutil unmountDisk disk4
    diskutil eject disk4
    "#);
}
