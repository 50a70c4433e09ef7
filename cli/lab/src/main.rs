//! x
use deploy_lab::*;
use std::ffi::OsStr;
use std::time::*;
fn main() -> anyhow::Result<()> {
    if let Some(inside) = reexec::dispatch()? {
        let t = Instant::now();
        let mut lab = lab::Lab::enter(&inside)?;
        let h = lab.new_host(host::HostSpec::named("frame1")?)?;
        eprintln!("{:?} new", t.elapsed());
        h.boot()?;
        eprintln!("{:?} boot", t.elapsed());
        let r = h.wait_for_ssh(Duration::from_secs(10));
        eprintln!("{:?} ssh {r:?}", t.elapsed());
        let r = h.wait_until_up();
        eprintln!("{:?} up {r:?}", t.elapsed());
        println!("{}", lab.last_words(200));
        println!("{}", h.sh("systemctl is-system-running; systemctl --failed; cat /proc/uptime; cat /proc/self/cgroup; ls /sys/fs/cgroup; ip a; mount; hostname; cat /etc/machine-id /proc/sys/kernel/random/boot_id; df -h / /boot; cat /proc/1/cmdline")?);
        return Ok(());
    }
    let mut s = supervisor::Supervisor::start(&[OsStr::new("x")], |_| ())?;
    println!("{:?}", s.wait()?);
    Ok(())
}
