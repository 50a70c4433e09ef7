//! `deploy vm ssh`, and the options with which a machine's SSH is reached.

use super::{failed, named, report};
use crate::{
    args::VmSshArgs,
    error::{Failure, Result},
    tools::process::Invocation,
    vm::{folder::VmFolder, ports, run::VmRun},
};

/// Becomes ssh. Returns only on failure.
pub fn run(args: &VmSshArgs) -> u8 {
    failed(&report(), become_ssh(args).unwrap_or_else(|failure| failure))
}

fn become_ssh(args: &VmSshArgs) -> Result<Box<Failure>> {
    let folder = named(args.name.as_deref())?;
    let name = folder.name();
    let refused = |why: &str| Failure::unchanged(format!("cannot log in to {name}")).because(why);
    if !folder.is_on()? {
        return Err(refused("it is off").hint(Some(format!("deploy vm {name} starts it"))));
    }
    let ports = VmRun::read(&folder.path()).map(|run| run.ports).unwrap_or_default();
    let port =
        ports::here_for(&ports, ports::SSH).ok_or_else(|| refused("no port leads to its 22"))?;
    let ssh = to(&folder, port, &args.user).args(&args.command);
    Ok(refused(&ssh.replace_this().to_string()))
}

/// The command line of ssh to a machine. Its key is remembered with its disk: a new disk has
/// another one, and is another machine.
pub fn to(folder: &VmFolder, port: u16, user: &str) -> Invocation {
    let known = folder.path().join("known_hosts");
    Invocation::new("ssh")
        .args(["-p", &port.to_string(), "-l", user])
        .args(["-o", &format!("UserKnownHostsFile=\"{}\"", known.display())])
        .args(["-o", &format!("HostKeyAlias={}", folder.name())])
        .args(["-o", "StrictHostKeyChecking=accept-new", "-o", "LogLevel=ERROR", "127.0.0.1"])
}
