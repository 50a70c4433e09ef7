//! Host keys over SSH, from a real sshd on a port of this computer.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::fleet::{Fleet, are_here, skipped};

/// An sshd that ends with the test.
struct Sshd {
    child: Child,
    port: u16,
}

impl Sshd {
    fn start(fleet: &Fleet, key: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // Where it is root it wants this folder.
        let _ = fs::create_dir_all("/run/sshd");
        let mut sshd = Command::new("/usr/sbin/sshd");
        sshd.args(["-D", "-f", "/dev/null", "-o", "PidFile=none", "-o", "UsePAM=no"]);
        sshd.args(["-o", "ListenAddress=127.0.0.1", "-p", &port.to_string(), "-h"]);
        sshd.arg(fleet.path(key)).stderr(Stdio::null());
        let child = sshd.spawn().unwrap();
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "sshd does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Self { child, port }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const KEYS: &str = "{\n  # the attic\n  machines.frame1 = \"OLD\"; # old\n}\n";

/// A fleet whose ssh is the real one with an ssh_config of its own, in which frame1 is the sshd.
fn fleet() -> Option<(Fleet, String)> {
    if !Path::new("/usr/sbin/sshd").exists() || !are_here(&["ssh", "ssh-keygen"]) {
        skipped("there is no sshd on this computer");
        return None;
    }
    let fleet = Fleet::new();
    let joe = fleet.key("home/.ssh/id_ed25519", "ed25519", "");
    fleet.key("host", "ed25519", "");
    fleet.key("another", "ed25519", "");
    let old = fleet.key("old", "ed25519", "");
    let old = old.trim().to_owned();
    fleet.write("repo/secrets/secrets.nix", "import ../keys.nix");
    fleet.write("repo/keys.nix", KEYS.replace("OLD", &old));
    fleet.rules(&[("a.age", &[&joe])]);
    let real = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join("ssh"))
        .find(|file| file.exists())
        .unwrap();
    fleet.program("ssh", &format!("exec {} -F \"$HOME/config\" \"$@\"", real.display()));
    Some((fleet, old))
}

fn configure(fleet: &Fleet, sshd: &Sshd) {
    let known = fleet.path("home/known_hosts");
    let config = format!(
        "Host frame1 in-the-flake\n  HostName 127.0.0.1\n  Port {}\nHost *\n  UserKnownHostsFile {}\n  \
         GlobalKnownHostsFile /dev/null\n",
        sshd.port,
        known.display()
    );
    fleet.write("home/config", config);
}

fn public(fleet: &Fleet, key: &str) -> String {
    let text = fs::read_to_string(fleet.path(&format!("{key}.pub"))).unwrap();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ").trim().to_owned()
}

#[test]
fn a_host_key_is_taken_over_ssh_and_compared_with_known_hosts() {
    let Some((fleet, old)) = fleet() else { return };
    let sshd = Sshd::start(&fleet, "host");
    configure(&fleet, &sshd);
    let (host, another) = (public(&fleet, "host"), public(&fleet, "another"));
    let keys = || fs::read_to_string(fleet.path("repo/keys.nix")).unwrap();
    let at = format!("[127.0.0.1]:{}", sshd.port);
    let known = |key: &str| fleet.write("home/known_hosts", format!("{at} {key}\n"));

    let asked = fleet.deploy(&["recipients", "add", "frame1", "--from-host"]);
    asked.says(1, &["frame1: SHA256:", "not in known_hosts", "could not ask", "--yes answers"]);
    known(&another);
    let other = fleet.deploy(&["recipients", "add", "frame1", "--from-host", "--yes"]);
    other.says(1, &["and known_hosts has another key for it", "ssh-keygen -R 'frame1'"]);
    assert_eq!(keys(), KEYS.replace("OLD", &old), "nothing was changed");

    known(&host);
    let taken = fleet.deploy(&["recipients", "add", "frame1", "--yes", "--from-host"]);
    taken.says(0, &["the one in known_hosts", "machines.frame1: SHA256:", "is in keys.nix"]);
    assert_eq!(keys(), KEYS.replace("OLD", &host));
    let address = format!("127.0.0.1:{}", sshd.port);
    let again = fleet.deploy(&["recipients", "add", "frame1", "--from-host", &address, "--yes"]);
    again.says(0, &["has that key in keys.nix already"]);
    // It is written nowhere else: ssh's own file is as it was.
    let file = fs::read_to_string(fleet.path("home/known_hosts")).unwrap();
    assert_eq!(file, format!("{at} {host}\n"));
    if are_here(&["script"]) {
        fs::remove_file(fleet.path("home/known_hosts")).unwrap();
        fleet.write("repo/keys.nix", KEYS.replace("OLD", &old));
        let no = fleet.typing(&["recipients", "add", "frame1", "--from-host"], "n");
        no.says(1, &["is it the key of frame1?", "the answer was no", "nothing was changed"]);
        let yes = fleet.typing(&["recipients", "add", "frame1", "--from-host"], "y");
        yes.says(0, &["machines.frame1: SHA256:"]);
    }
    // The flake says where its machine is, and may pin its key.
    known(&host);
    fleet.write("repo/keys.nix", KEYS.replace("OLD", &old));
    fleet.missing(&[]);
    let flake = fs::read_to_string(fleet.path("home/flake.json")).unwrap();
    let at_flake = |with: &str| {
        let ssh = format!("\"ssh\":{{\"hostname\":\"in-the-flake\"{with}}}");
        fleet.write("home/flake.json", flake.replace("\"ssh\":{\"hostname\":\"frame1\"}", &ssh));
    };
    at_flake(&format!(",\"hostKey\":\"{another}\""));
    let pinned = fleet.deploy(&["recipients", "add", "frame1", "--from-host", "--yes"]);
    pinned.says(1, &["in-the-flake shows SHA256:", "and the flake pins another"]);
    at_flake("");
    let taken = fleet.deploy(&["recipients", "add", "frame1", "--from-host", "--yes"]);
    taken.says(0, &["in-the-flake: SHA256:", "the one in known_hosts", "is in keys.nix"]);
    assert_eq!(keys(), KEYS.replace("OLD", &host));
    fs::remove_file(fleet.path("repo/flake.nix")).unwrap();
    drop(sshd);
    let gone = fleet.deploy(&["recipients", "add", "frame1", "--from-host", "--yes"]);
    gone.says(
        1,
        &["the host key of frame1 was not taken", "Connection refused", "--from-host HOST"],
    );
}
