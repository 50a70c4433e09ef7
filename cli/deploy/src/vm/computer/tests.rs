//! Computers for tests, and the tests of what runs a guest.

use super::*;

pub fn mac() -> Computer {
    Computer { os: OperatingSystem::MacOs, arch: "aarch64".into(), kvm: Some("none".into()) }
}

pub fn linux(kvm: Option<&str>) -> Computer {
    let kvm = kvm.map(str::to_owned);
    Computer { os: OperatingSystem::Linux, arch: "x86_64".into(), kvm }
}

#[test]
fn a_guest_of_the_same_platform_is_not_emulated_where_the_computer_can() {
    assert_eq!(mac().acceleration("aarch64-linux"), Acceleration::Hvf);
    assert_eq!(linux(None).acceleration("x86_64-linux"), Acceleration::Kvm);
    let emulated = |computer: Computer, system| match computer.acceleration(system) {
        Acceleration::Emulated(why) => why,
        other => panic!("{other:?}"),
    };
    let denied = "/dev/kvm: Permission denied";
    assert_eq!(emulated(linux(Some(denied)), "x86_64-linux"), denied);
    assert!(emulated(mac(), "x86_64-linux").contains("this computer is aarch64"));
    assert!(emulated(linux(None), "aarch64-linux").contains("it is for aarch64-linux"));
}
