use serde_json::{Value, json};

use super::*;

/// What the evaluation gives for a machine with one disk, GRUB for UEFI and BIOS, and secrets.
pub fn frame1() -> Value {
    json!({
        "disks": [{ "name": "main", "device": "/dev/disk/by-id/ata-A" }],
        "disko": {
            "drv": "/nix/store/00000000000000000000000000000000-disko.drv",
            "out": "/nix/store/00000000000000000000000000000000-disko",
        },
        "uefi": true, "bios": true, "sshd": true, "wireless": false,
        "hostKey": "/etc/ssh/ssh_host_ed25519_key",
        "identities": ["/etc/ssh/ssh_host_ed25519_key"], "sops": false, "memory": null,
    })
}

fn refused(field: &str, value: Value) -> String {
    let mut wish = frame1();
    wish[field] = value;
    InstallWish::read("frame1", wish).unwrap_err().to_string()
}

#[test]
fn a_configuration_that_fits_no_computer_is_refused() {
    let wish = InstallWish::read("frame1", frame1()).unwrap();
    assert_eq!(wish.devices(), "/dev/disk/by-id/ata-A");
    let no_disk = refused("disks", json!([]));
    assert!(no_disk.contains("`disko.devices.disk` is empty"), "{no_disk}");
    let no_ssh = refused("sshd", json!(false));
    assert!(no_ssh.contains("services.openssh.enable = true"), "{no_ssh}");
    assert!(refused("uefi", json!(3)).contains("what frame1 wants of a computer cannot be"));
}
